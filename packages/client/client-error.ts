/** An RFC 9457 problem document as the server sends it. */
export interface Problem {
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: unknown;
  readonly code?: string;
  readonly errors?: readonly { readonly pointer?: string; readonly detail?: string }[];
}

interface ClientErrorFacts {
  readonly status?: number;
  readonly problem?: Problem;
  readonly retryAfterSecs?: number;
  readonly cause?: unknown;
}

/**
 * A request that did not succeed. `code` is the server's (`VCON_…`), or one of the client's own:
 * `CLIENT_UNREACHABLE`, `CLIENT_TIMEOUT`, `CLIENT_ABORTED`, `CLIENT_UNEXPECTED` (an answer this client does not understand).
 */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: string;
  /** HTTP status; absent when there was no answer. */
  readonly status: number | undefined;
  readonly problem: Problem | undefined;
  /** Seconds the server asked to wait before trying again. */
  readonly retryAfterSecs: number | undefined;

  constructor(code: string, message: string, facts: ClientErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.status = facts.status;
    this.problem = facts.problem;
    this.retryAfterSecs = facts.retryAfterSecs;
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get retryable(): boolean {
    if (this.status === undefined) return this.code === "CLIENT_UNREACHABLE" || this.code === "CLIENT_TIMEOUT";
    return (
      this.status === 408 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504
    );
  }
}

/** The error an answer stands for. */
export function errorOf(doing: string, response: Response, body: string): ClientError {
  const problem = problemOf(body);
  const code =
    problem?.code ??
    (response.status === 401 || response.status === 403 ? "VCON_AUTH_REFUSED" : `HTTP_${response.status}`);
  const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new ClientError(code, `${doing}: ${reasonOf(problem, response, body)}`, {
    status: response.status,
    ...(problem === undefined ? {} : { problem }),
    ...(Number.isFinite(wait) ? { retryAfterSecs: wait } : {}),
  });
}

function problemOf(body: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Problem) : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(problem: Problem | undefined, response: Response, body: string): string {
  const places = problem?.errors
    ?.map(({ pointer, detail }) => `${pointer ?? ""} ${detail ?? ""}`.trim())
    .filter(Boolean);
  if (places !== undefined && places.length > 0) return `${problem?.title ?? "not valid"} (${places.join("; ")})`;
  if (typeof problem?.detail === "string") return problem.detail;
  return problem?.title ?? `status ${response.status} ${response.statusText}${shortText(body)}`.trim();
}

/** A word of explanation, but no page. */
const shortText = (body: string): string =>
  body === "" || body.length > 200 || body.includes("<") ? "" : ` (${body})`;
