import type { Clock } from "../plugin/link.ts";

/** The clock of the machine. */
export const systemClock: Clock = { now: Date.now, sleep };

/** Timers fire at once beyond this. */
const LONGEST_MS = 2 ** 31 - 1;

/** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(done.resolve, Math.min(ms, LONGEST_MS));
  const aborted = () => done.reject(signal?.reason);
  signal?.addEventListener("abort", aborted, { once: true });
  try {
    await done.promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", aborted);
  }
}
