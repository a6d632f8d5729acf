import type { VconError } from "../errors/index.ts";
import type { PreparedStep } from "./runtime.ts";

/** A link on which thousands of vCons wait says so this often, in milliseconds. */
const TELL_EVERY = 60_000;
const told = new WeakMap<PreparedStep, number>();

interface UsedUp {
  /** Since when the run waits already; `undefined` = this is the first such answer. */
  readonly since: number | undefined;
  readonly error: VconError;
  readonly now: number;
}

/** Since when a run waits for a used-up limit; such a wait is no failed try. `undefined` when there is nothing to wait for. */
export function waitingFor(step: PreparedStep, { since, error, now }: UsedUp): number | undefined {
  if (error.code !== "VCON_SERVICE_QUOTA" || !error.retryable) return undefined;
  const began = since ?? now;
  if (now - began >= step.retries.quotaWait) return undefined;
  if (now - (told.get(step) ?? Number.NEGATIVE_INFINITY) >= TELL_EVERY) {
    told.set(step, now);
    step.log.warn("a limit of the service is used up; vCons wait for it", {
      code: error.code,
      error: error.message,
      patience_secs: step.retries.quotaWait / 1_000,
    });
  }
  return began;
}
