import { VconError } from "../errors/index.ts";
import type { Clock } from "../plugin/link.ts";
import { backoff } from "../resilience/index.ts";
import type { Logger } from "../telemetry/logger.ts";

export interface PersistDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Ends the waiting when the process must go; the lease then ends with it. */
  readonly signal: AbortSignal;
}

const WAITS = { maxAttempts: Number.POSITIVE_INFINITY, initialDelay: 100, maxDelay: 1_000, multiplier: 2 };

/**
 * Repeats a write until the backend takes it. A run that has ended exists nowhere but in this process: giving up would
 * repeat its links, or leave its entry leased to a process that has forgotten it. Other failures are thrown.
 */
export async function persist<T>(doing: string, write: () => Promise<T>, deps: PersistDeps): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof VconError && error.retryable) || deps.signal.aborted) throw error;
      if (attempt === 1) deps.log.warn(`${doing} waits for the backend`, { code: error.code, error: error.message });
      await deps.clock.sleep(backoff(WAITS, attempt, deps.random) + 20, deps.signal).catch(() => undefined);
    }
  }
}
