import { readDate } from "@vcon-server/vcon";
import { VconError } from "../errors/index.ts";

/** Seconds: whoever answers cannot put a vCon off for longer at a time. */
const LONGEST_WAIT = 3_600;

/** What an outside service answered, as far as it matters for what to do next. */
export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** What it said about the failure; shown, so it must hold no secret. */
  readonly said?: string;
  /** The service says that the account has nothing left to spend. */
  readonly exhausted?: boolean;
}

interface About {
  /** What was being done, to what: `posting to crm.example`. */
  readonly doing: string;
  /** What to do about a refusal. */
  readonly remedy?: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly cause?: unknown;
}

const TRY_AGAIN: readonly number[] = [408, 409, 425];
const LONGEST_SAID = 300;

/**
 * An answer other than success as a coded error. Quota (402, 429): `VCON_SERVICE_QUOTA`, retried when the service says.
 * Retryable (408, 409, 425, 5xx): `VCON_SERVICE_DOWN`. Permanent: `VCON_SERVICE_CREDENTIALS` (401, 403) and
 * `VCON_SERVICE_REFUSED` (all others, redirects included).
 */
export function serviceFailure(answer: ServiceAnswer, { doing, remedy, now, cause }: About): VconError {
  const { status, headers, said, exhausted = false } = answer;
  const retryAfterSecs = secondsOf(headers.get("retry-after"), now);
  const extras = {
    details: { status },
    ...(cause !== undefined && { cause }),
    ...(retryAfterSecs !== undefined && { retryAfterSecs }),
  };
  const words = said ? `: ${said.slice(0, LONGEST_SAID)}` : "";
  const message = (advice: string) => `${doing}: it answers ${status}${words}; ${advice}`;
  if (status === 429 || status === 402 || exhausted) {
    const advice =
      exhausted || status === 402
        ? "the account is used up: top it up"
        : "its rate limit is reached: it is tried again later";
    return new VconError("VCON_SERVICE_QUOTA", message(advice), extras);
  }
  if (status >= 500 || TRY_AGAIN.includes(status))
    return new VconError("VCON_SERVICE_DOWN", message("it is tried again"), extras);
  if (status === 401 || status === 403)
    return new VconError("VCON_SERVICE_CREDENTIALS", message(remedy ?? "check its credentials"), extras);
  const advice =
    status < 400 ? "redirects are not followed: configure the address it leads to" : (remedy ?? "check its options");
  return new VconError("VCON_SERVICE_REFUSED", message(advice), extras);
}

/** A call without an answer: refused, cut off, unknown name. Coded errors pass as they are. */
export function connectionFailure(doing: string, cause: unknown): VconError {
  if (cause instanceof VconError) return cause;
  return new VconError("VCON_SERVICE_DOWN", `${doing}: ${reasonOf(cause)}; it is tried again`, { cause });
}

/** What OpenSSL says to an answer that is not TLS. */
const NO_TLS = /wrong version number|packet length too long|http request/i;

/** `fetch` says "fetch failed" and keeps what happened in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && String(error.code).startsWith("ERR_SSL_") && NO_TLS.test(error.message))
    return "the port does not speak TLS: check http:// against https://";
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message || error.name;
}

/** Seconds to wait by a `Retry-After` header (RFC 9110 section 10.2.3): seconds or a date; an hour at most. */
export function secondsOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const seconds = /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : ((readDate(text)?.ms ?? Number.NaN) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(0, Math.ceil(seconds)), LONGEST_WAIT);
}
