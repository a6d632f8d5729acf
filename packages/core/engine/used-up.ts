import type { ErrorCode, VconError } from "../errors/index.ts";
import type { PreparedStep } from "./runtime.ts";

/** Failures that are waited for without counting as tries, in the words of the log. */
const WAITED_FOR: Partial<Record<ErrorCode, string>> = {
  VCON_SERVICE_QUOTA: "a limit of the service is used up; vCons wait for it",
  VCON_MEDIA_PENDING: "recordings are not there yet; vCons wait for them",
};

/** A link on which thousands of vCons wait says so this often, in milliseconds. */
const TELL_EVERY = 60_000;
const told = new WeakMap<PreparedStep, number>();

interface UsedUp {
  /** Since when the run waits already; `undefined` = this is the first such answer. */
  readonly since: number | undefined;
  readonly error: VconError;
  readonly now: number;
}

/**
 * Returns since when a run waits for what is expected to come; such a wait is no failed try. `undefined` when there is
 * nothing to wait for. Patience with a used-up limit ends by configuration, patience with a recording when its link
 * says that it is gone.
 */
export function waitingFor(step: PreparedStep, { since, error, now }: UsedUp): number | undefined {
  const message = WAITED_FOR[error.code];
  if (message === undefined || !error.retryable) return undefined;
  const began = since ?? now;
  const isLimited = error.code === "VCON_SERVICE_QUOTA";
  if (isLimited && now - began >= step.retries.quotaWait) return undefined;
  if (now - (told.get(step) ?? Number.NEGATIVE_INFINITY) >= TELL_EVERY) {
    told.set(step, now);
    const patience = isLimited && { patience_secs: step.retries.quotaWait / 1_000 };
    step.log.warn(message, { code: error.code, error: error.message, ...patience });
  }
  return began;
}
