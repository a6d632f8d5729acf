import { z } from "zod";
import { EXHAUSTED } from "./failures.ts";

/** An error as OpenAI writes it under `error`. */
export interface ErrorBody {
  readonly message: string;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly param?: unknown;
}

/** Bytes: errors are short, and longer answers are not read twice. */
const LONGEST_ERROR = 64 * 1024;

const Words = z.looseObject({
  message: z.string(),
  code: z.unknown().optional(),
  type: z.unknown().optional(),
  param: z.unknown().optional(),
});

/** Error fields of OpenAI, vLLM, xAI, OpenRouter and services made with FastAPI. */
const Body = z.looseObject({
  error: z
    .union([Words, z.string().min(1)])
    .optional()
    .catch(undefined),
  object: z.unknown().optional(),
  message: z.unknown().optional(),
  detail: z.unknown().optional(),
  choices: z
    .array(z.looseObject({ error: Words.optional().catch(undefined) }))
    .optional()
    .catch(undefined),
});

/**
 * Finds the error that a service reports in a body: the only word about what went wrong, whatever its status. Under a
 * status of success the error's own code, or else its words, give the status it should have come with.
 */
export function findError(
  status: number,
  bytes: Uint8Array,
): { readonly status: number; readonly error: ErrorBody } | undefined {
  if (bytes.length > LONGEST_ERROR) return undefined;
  const text = new TextDecoder().decode(bytes);
  const success = status < 300;
  if (success && !text.includes('"error"')) return undefined;
  const error = readError(text, success);
  return error && { status: success ? statusByWords(error) : status, error };
}

function readError(text: string, success: boolean): ErrorBody | undefined {
  const { data: body } = Body.safeParse(parse(text));
  if (!body) return undefined;
  const { error = body.choices?.find((choice) => choice.error)?.error, code, type } = body;
  if (typeof error === "object") return error;
  if (typeof error === "string") return { message: error, code, type };
  if (typeof body.message === "string" && (body.object === "error" || !success))
    return { message: body.message, code, type, param: body["param"] };
  return typeof body.detail === "string" && !success ? { message: body.detail, code, type } : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const BY_WORDS: readonly (readonly [words: RegExp, status: number])[] = [
  [EXHAUSTED, 402],
  [/rate.?limit|too.?many.?requests|quota|resource.?exhausted/i, 429],
  [/api.?key|authenticat|unauthori[sz]ed/i, 401],
  [/permission|forbidden/i, 403],
  [/not.?found|does not exist/i, 404],
  [/overloaded|unavailable|capacity|server.?error|internal|timed? ?out/i, 503],
  [/invalid|bad.?request|unsupported|context.?length|content.?filter|content.?policy/i, 400],
];

const FAILED = 500;

function statusByWords({ code, type, message }: ErrorBody): number {
  const status = Number(code);
  if (Number.isInteger(status) && status >= 400 && status < 600) return status;
  const words = [code, type, message].filter((part) => typeof part === "string").join(" ");
  return BY_WORDS.find(([sign]) => sign.test(words))?.[1] ?? FAILED;
}
