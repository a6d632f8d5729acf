import { type Json, parseJson } from "@vcon-server/vcon";
import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { type Issue, invalid } from "./problem.ts";
import { issuesOf } from "./validation.ts";

/** The bytes of a body; a request without one is refused. */
export function bytesOf(request: FastifyRequest): Uint8Array {
  const { body } = request;
  if (body instanceof Uint8Array && body.length > 0) return body;
  throw invalid("reading the request body", [{ type: "missing", loc: ["body"], msg: "Field required" }]);
}

/** The JSON a body spells. */
export function jsonOf(request: FastifyRequest): Json {
  const parsed = parseJson(bytesOf(request));
  if (parsed.ok) return parsed.value;
  const { message, offset } = parsed.problem;
  const issue: Issue = { type: "json_invalid", loc: ["body", offset], msg: `JSON decode error: ${message}` };
  throw invalid("reading the request body", [issue]);
}

/** The JSON of a body, checked against the schema. */
export function bodyOf<T extends z.ZodType>(request: FastifyRequest, schema: T): z.output<T> {
  const result = schema.safeParse(jsonOf(request), { reportInput: true });
  if (result.success) return result.data;
  throw invalid("reading the request body", issuesOf("body", result.error.issues));
}
