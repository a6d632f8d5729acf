import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/** Bytes of an unwanted body that are read and thrown away. */
const MOST_BYTES = 256 * 1024 * 1024;
/** Milliseconds that such a body may take altogether, and without a byte arriving. */
const MOST_TIME = 30_000;
const IDLE = 5_000;

/** Returns true while the client has more of its body to send. */
export const hasUnreadBody = ({ complete, headers, socket }: IncomingMessage): boolean =>
  !complete &&
  !socket.destroyed &&
  (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0);

/**
 * Returns the answer to a request whose body is not wanted: it goes out at once, and ends only when the client has sent
 * the rest, hung up, or used up what it is granted. A connection that is closed while the client still sends is reset,
 * and a reset makes clients and proxies drop an answer they have received already (nginx answers 502 in its place).
 */
export function answerThenDiscard(
  request: IncomingMessage,
  answer: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  idle = IDLE,
): Readable {
  return Readable.from(
    (async function* () {
      yield* answer;
      await discardBody(request, Math.min(idle, IDLE));
    })(),
    { objectMode: false },
  );
}

function discardBody(request: IncomingMessage, idle: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (!hasUnreadBody(request)) return Promise.resolve();
  let bytes = 0;
  let quiet = setTimeout(resolve, idle);
  const whole = setTimeout(resolve, MOST_TIME);
  const discard = (chunk: Buffer) => {
    bytes += chunk.length;
    clearTimeout(quiet);
    if (bytes > MOST_BYTES) resolve();
    else quiet = setTimeout(resolve, idle);
  };
  const end = () => resolve();
  // a reset while the rest is thrown away is no failure of anything
  request.on("error", end).on("data", discard).once("end", end).once("close", end).resume();
  return promise.finally(() => {
    clearTimeout(quiet);
    clearTimeout(whole);
    request.off("data", discard).off("end", end).off("close", end);
  });
}
