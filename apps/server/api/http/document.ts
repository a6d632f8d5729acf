import { z } from "zod";

/** A body of a response or request in the OpenAPI document. */
export interface Content {
  readonly description: string;
  /** Absent: no body. */
  readonly schema?: z.ZodType;
  /** Media types; JSON unless given. */
  readonly types?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answers = Readonly<Record<number, Content>>;

/** What a route takes, by media type where they differ. */
export interface RequestBody {
  readonly description: string;
  readonly content: Readonly<Record<string, z.ZodType>>;
}

const entry = z.looseObject({
  pointer: z.string().describe("JSON pointer into that part of the request."),
  in: z.string().describe("Part of the request: body, query, path or header."),
  detail: z.string(),
  code: z.string().optional().describe("Rule that is broken."),
});

/** RFC 9457 problem document. */
export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.union([
      z.string(),
      z.array(z.looseObject({ type: z.string(), loc: z.array(z.union([z.string(), z.number()])), msg: z.string() })),
    ]),
    code: z.string(),
    instance: z.string().optional(),
    errors: z.array(entry).optional(),
  })
  .meta({
    id: "Problem",
    description: "What went wrong (RFC 9457). `detail` is a sentence, or the list of validation errors.",
    examples: [
      {
        type: "urn:vcon-server:error:VCON_NOT_FOUND",
        title: "There is nothing under this address.",
        status: 404,
        detail: "vCon not found",
        code: "VCON_NOT_FOUND",
      },
    ],
  });

const WORDS: Readonly<Record<number, string>> = {
  400: "The request cannot be understood.",
  401: "A token is required.",
  403: "The token does not allow this.",
  404: "There is nothing under this address.",
  408: "The body did not arrive in time.",
  409: "The request conflicts with the stored state.",
  412: "The vCon is not in the state the request asked for.",
  413: "The body is too large.",
  415: "The media type is not supported.",
  422: "The request is not valid; every error is listed.",
  503: "The backend or a storage does not answer; try again after `Retry-After` seconds.",
};

/** Problem answers with these statuses. */
export const problems = (...statuses: readonly number[]): Answers =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: WORDS[status] ?? "Failure.", schema: ProblemSchema, types: ["application/problem+json"] },
    ]),
  );
