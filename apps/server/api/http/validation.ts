import type { FastifyRequest, FastifySchemaCompiler } from "fastify";
import { z } from "zod";
import { type Issue, invalid } from "./problem.ts";

const PARTS: Readonly<Record<string, string>> = {
  querystring: "query",
  params: "path",
  headers: "header",
  body: "body",
};

/** Checks a part of a request with its zod schema; what is wrong becomes one 422 that names every error. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart = "body" }) =>
  (data: unknown) =>
    checkPart(schema, data, PARTS[httpPart] ?? httpPart);

function checkPart(schema: z.ZodType, data: unknown, part: string) {
  const result = schema.safeParse(data, { reportInput: true });
  if (result.success) return { value: result.data };
  return { error: invalid(`reading the ${part} parameters`, issuesOf(part, result.error.issues)) };
}

/** Throws what is wrong with the query of a request before a byte of its body is read. */
export function refuseQuery({ query, routeOptions: { schema } }: FastifyRequest): void {
  const { querystring } = schema ?? {};
  const checked = querystring instanceof z.ZodType ? checkPart(querystring, query, "query") : {};
  if ("error" in checked) throw checked.error;
}

type ZodIssue = z.core.$ZodIssue;

/** A list of a hundred thousand wrong values is not answered with as many errors. */
const MAX_ISSUES = 100;

/** Zod's first issues in the original's words. `part` is the part of the request they are about. */
export const issuesOf = (part: string, issues: readonly ZodIssue[]): Issue[] =>
  issues.slice(0, MAX_ISSUES).map((issue) => issueOf(part, issue));

function issueOf(part: string, issue: ZodIssue): Issue {
  const loc = [part, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))];
  const isMissing = issue.code === "invalid_type" && issue.input === undefined && issue.message.includes("undefined");
  if (isMissing) return { type: "missing", loc, msg: "Field required" };
  const input = part === "body" ? undefined : echo(issue.input);
  return { type: typeOf(issue), loc, msg: messageOf(issue), ...(input !== undefined && { input }) };
}

function typeOf(issue: ZodIssue): string {
  switch (issue.code) {
    case "custom":
      return typeof issue.params?.["type"] === "string" ? issue.params["type"] : "value_error";
    case "too_small":
      return issue.origin === "number" ? "greater_than_equal" : "too_short";
    case "too_big":
      return issue.origin === "number" ? "less_than_equal" : "too_long";
    case "invalid_type":
      return issue.expected === "number" || issue.expected === "int" ? "int_parsing" : `${issue.expected}_type`;
    case "invalid_value":
      return "literal_error";
    case "invalid_format":
      return "string_pattern_mismatch";
    case "unrecognized_keys":
      return "extra_forbidden";
    default:
      return "value_error";
  }
}

function messageOf(issue: ZodIssue): string {
  if (issue.code === "too_small" && issue.origin === "number")
    return `Input should be greater than or equal to ${issue.minimum}`;
  if (issue.code === "too_big" && issue.origin === "number")
    return `Input should be less than or equal to ${issue.maximum}`;
  return issue.message;
}

/** Short values are echoed, as the original does. */
const echo = (value: unknown): unknown =>
  typeof value === "number" || typeof value === "boolean"
    ? value
    : typeof value === "string"
      ? value.slice(0, 200)
      : undefined;
