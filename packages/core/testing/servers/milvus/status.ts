import type { Message } from "./protocol.ts";

/** Error codes as Milvus documents them, with the names that older clients know and whether to try again. */
const KINDS = {
  1: ["NotReadyServe", true],
  2: ["UnexpectedError", true],
  3: ["InsufficientMemoryToLoad", false],
  7: ["DiskQuotaExhausted", false],
  8: ["RateLimit", true],
  9: ["ForceDeny", false],
  100: ["CollectionNotExists", false],
  101: ["UnexpectedError", false],
  109: ["SchemaMismatch", false],
  700: ["IndexNotExist", false],
  800: ["UnexpectedError", false],
  1100: ["IllegalArgument", false],
  1400: ["UnexpectedError", false],
  1401: ["UnexpectedError", false],
  65535: ["UnexpectedError", false],
} as const satisfies Record<number, readonly [legacy: string, retriable: boolean]>;

export type Code = keyof typeof KINDS;

/** Something Milvus does not do, as its answers say it. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: Code;

  constructor(code: Code, reason: string) {
    super(reason);
    this.code = code;
  }
}

export const SUCCESS: Message = { errorCode: "Success", code: 0, reason: "", retriable: false, detail: "" };

export function statusOf({ code, message }: Refusal): Message {
  const [errorCode, retriable] = KINDS[code];
  return { errorCode, code, reason: message, retriable, detail: message };
}

export const invalid = (reason: string): Refusal => new Refusal(1100, `${reason}: invalid parameter`);
