import type { RetryPolicy } from "../config/plan.ts";

/**
 * Milliseconds to wait after failure number `attempt` (1 = first): uniform between 0 and the capped exponential delay,
 * so that callers which failed together do not come back together. `random` is uniform in [0, 1).
 */
export function backoff(policy: RetryPolicy, attempt: number, random: () => number): number {
  const grown = policy.initialDelay * policy.multiplier ** (Math.max(1, attempt) - 1);
  return Math.floor(random() * Math.min(policy.maxDelay, grown));
}
