import { CATALOGUE, type ErrorCode, VconError } from "@vcon-server/core";

/** One thing that is wrong with a request, in the words of the original's validation errors plus a JSON pointer. */
export interface Issue {
  /** Kind of error, e.g. `missing`, `int_parsing`. */
  readonly type: string;
  /** Part of the request (`body`, `query`, `path`, `header`) and the way into it. */
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  /** What was sent, where that is short and no part of a document. */
  readonly input?: unknown;
  /** Code of the rule of the draft, where one is broken. */
  readonly code?: string;
}

/** RFC 9457 problem document; `detail` is what the original's clients read. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string | readonly Omit<Issue, "code">[];
  readonly code: ErrorCode;
  readonly instance?: string;
  readonly errors?: readonly ProblemEntry[];
}

/** Place and reason of one error. Entries about configuration carry line, column and remedy as well. */
export interface ProblemEntry {
  /** JSON pointer into the body; names the parameter for other parts of the request. */
  readonly pointer: string;
  readonly in: string;
  readonly detail: string;
  readonly code?: string;
  readonly [fact: string]: unknown;
}

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** A request that is refused with 422, with everything that is wrong with it. */
export const invalid = (doing: string, issues: readonly Issue[]): VconError =>
  new VconError("VCON_INPUT_INVALID", `${doing}: ${issues.map(({ msg }) => msg).join("; ")}`, { details: { issues } });

/** The same for a single parameter of the query or path. */
export const invalidParameter = (part: "query" | "path" | "header", name: string, msg: string): VconError =>
  invalid(`reading the ${part} parameter ${name}`, [{ type: "value_error", loc: [part, name], msg }]);

/** JSON pointer of a path. */
export const pointer = (path: readonly (string | number)[]): string =>
  path.map((token) => `/${String(token).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

/** The problem document of a failure. `failure` is the detail of a failure that says nothing to the client. */
export function problemOf(
  error: VconError,
  { status, failure }: { readonly status?: number; readonly failure?: string } = {},
): Problem {
  const issues = issuesOf(error);
  const entries = entriesOf(error);
  return {
    type: `urn:vcon-server:error:${error.code}`,
    title: CATALOGUE[error.code].title,
    status: status ?? error.status,
    detail: issues ? issues.map(({ code: _, ...issue }) => issue) : (failure ?? error.message),
    code: error.code,
    ...(issues && { errors: issues.map(entryOf) }),
    ...(entries && { errors: entries }),
  };
}

function entryOf({ loc, msg, code }: Issue): ProblemEntry {
  const [part = "body", ...path] = loc;
  return { pointer: pointer(path), in: String(part), detail: msg, ...(code !== undefined && { code }) };
}

/** What `invalid` put there; details are typed loosely because they travel in every error. */
function issuesOf(error: VconError): readonly Issue[] | undefined {
  const { issues } = error.details;
  return error.code === "VCON_INPUT_INVALID" && Array.isArray(issues) ? (issues as readonly Issue[]) : undefined;
}

/** Findings of the configuration's linter. */
function entriesOf(error: VconError): readonly ProblemEntry[] | undefined {
  const { findings } = error.details;
  if (error.code !== "VCON_CONFIG_INVALID" || !Array.isArray(findings)) return undefined;
  return findings.map((finding: Readonly<Record<string, unknown>>) => ({
    ...finding,
    pointer: String(finding["path"] ?? ""),
    in: "body",
    detail: String(finding["message"] ?? ""),
  }));
}
