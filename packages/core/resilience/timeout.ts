/** A limit of time. `error` makes what the caller gets when it is over. */
export interface TimeLimit {
  readonly ms: number;
  readonly error: () => Error;
  /** Ends the wait early, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Timers fire at once beyond this. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Runs `run` for at most `ms` milliseconds. The signal it gets aborts when the time is over or the caller's signal
 * aborts; the returned promise settles then even if `run` never does, and what `run` does later is ignored.
 */
export async function withTimeout<T>(limit: TimeLimit, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  limit.signal?.throwIfAborted();
  const controller = new AbortController();
  const over = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    over.reject(reason);
    controller.abort(reason);
  };
  const timer = setTimeout(() => end(limit.error()), Math.min(limit.ms, LONGEST_MS));
  const aborted = () => end(limit.signal?.reason);
  limit.signal?.addEventListener("abort", aborted, { once: true });
  try {
    return await Promise.race([run(controller.signal), over.promise]);
  } finally {
    clearTimeout(timer);
    limit.signal?.removeEventListener("abort", aborted);
  }
}
