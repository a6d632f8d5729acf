import { soundJson } from "@vcon-server/vcon";
import { VconError } from "../errors/index.ts";
import type { Clock } from "../plugin/link.ts";
import { connectionFailure } from "./failures.ts";

export interface Limit {
  /** What is being done, to what, for the message. */
  readonly doing: string;
  readonly seconds: number;
  readonly clock: Clock;
  /** The run's own signal: its reason wins. */
  readonly signal: AbortSignal;
}

/**
 * One call of an outside service, from the request to the last byte of the answer, within its time. Rejects with
 * `VCON_SERVICE_TIMEOUT` when that is over, with the signal's reason when the run ends, and otherwise with a coded
 * error for what went wrong. Tests need a clock that does not let sleeps be over at once.
 */
export async function withinTime<T>(
  { doing, seconds, clock, signal }: Limit,
  call: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const [limit, ended] = [new AbortController(), new AbortController()];
  const aborted = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    limit.abort(reason);
    aborted.reject(reason);
  };
  const stopped = () => end(signal.reason);
  signal.addEventListener("abort", stopped, { once: true });
  const late = () =>
    end(
      new VconError(
        "VCON_SERVICE_TIMEOUT",
        `${doing}: no answer within ${seconds} s; raise the time limit if it needs longer`,
      ),
    );
  clock.sleep(seconds * 1000, ended.signal).then(late, () => undefined);
  aborted.promise.catch(() => undefined);
  try {
    return await Promise.race([call(limit.signal), aborted.promise]);
  } catch (cause) {
    const failure = limit.signal.aborted ? limit.signal.reason : connectionFailure(doing, cause);
    // an answer that nobody reads any more must not hold its connection
    limit.abort(failure);
    throw failure;
  } finally {
    signal.removeEventListener("abort", stopped);
    ended.abort();
  }
}

/** The body of an answer, of so many bytes at most. An answer that is longer is cut off with `VCON_SERVICE_ANSWER`. */
export async function readBytes(response: Response, max: number, doing: string): Promise<Uint8Array> {
  const { bytes, whole } = await readUpTo(response, max);
  if (whole) return bytes;
  throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer is longer than ${max} bytes`, { retryable: false });
}

/** How the body of an answer begins: so many bytes at most. For answers that only explain a status. */
export const readStart = async (response: Response, max: number): Promise<Uint8Array> =>
  (await readUpTo(response, max)).bytes;

async function readUpTo(
  response: Response,
  max: number,
): Promise<{ readonly bytes: Uint8Array; readonly whole: boolean }> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    parts.push(part);
    if (size > max) return { bytes: Buffer.concat(parts, size).subarray(0, max), whole: false };
  }
  return { bytes: Buffer.concat(parts, size), whole: true };
}

/**
 * The body as JSON, with U+FFFD for what databases cannot hold; `VCON_SERVICE_ANSWER` when it is none, or nested too
 * deeply. What it says is not repeated: it may hold anything.
 */
export async function readJson(response: Response, max: number, doing: string): Promise<unknown> {
  const value = soundJson(parsed(await readBytes(response, max, doing), doing));
  if (value !== undefined) return value;
  throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer is nested too deeply; it is tried again`);
}

function parsed(bytes: Uint8Array, doing: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // the parser's own message quotes the answer
    throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer is no JSON; it is tried again`);
  }
}
