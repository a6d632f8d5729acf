export { backoff } from "./backoff.ts";
export { type Breaker, type BreakerPolicy, type BreakerState, breaker } from "./breaker.ts";
export { sleep, systemClock } from "./clock.ts";
export { type TimeLimit, withTimeout } from "./timeout.ts";
