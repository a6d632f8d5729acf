import { CATALOGUE, type ErrorCode } from "./catalogue.ts";
import { printable } from "./printable.ts";

interface ErrorExtras {
  readonly cause?: unknown;
  /** Overrides what the catalogue says for this one failure. */
  readonly retryable?: boolean;
  /** Seconds after which a retry makes sense (`Retry-After` of the outside service). */
  readonly retryAfterSecs?: number;
  /** Facts for the log, the dead letter and the problem document. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A failure with a code of the catalogue. The message says what was being done, to what, and what to do next. */
export class VconError extends Error {
  override readonly name = "VconError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterSecs: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(printable(message), extras.cause === undefined ? undefined : { cause: extras.cause });
    this.code = code;
    this.retryable = extras.retryable ?? CATALOGUE[code].retryable;
    this.retryAfterSecs = extras.retryAfterSecs;
    this.details = extras.details ?? {};
  }

  /** HTTP status of this failure. */
  get status(): number {
    return CATALOGUE[this.code].status;
  }
}

/** The failure as a `VconError`: itself when it is one, otherwise wrapped under `code` with the original as cause. */
export function asVconError(error: unknown, code: ErrorCode, doing: string): VconError {
  if (error instanceof VconError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new VconError(code, `${doing}: ${message}`, { cause: error });
}

/** Messages of an error and its causes, outermost first, without stacks. */
export function causesOf(error: unknown): string[] {
  const messages: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null && messages.length < 8; ) {
    messages.push(printable(at instanceof Error ? at.message : String(at)));
    at = at instanceof Error ? at.cause : undefined;
  }
  return messages;
}
