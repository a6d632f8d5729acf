/** `closed` lets everything through, `open` nothing, `half-open` waits for the result of one probe. */
export type BreakerState = "closed" | "open" | "half-open";

/** Keeps callers away from something that fails repeatedly, and lets one of them try now and then. */
export interface Breaker {
  readonly state: BreakerState;
  /** Milliseconds the caller must wait; 0 means go, and then `success` or `failure` must follow. */
  wait(): number;
  success(): void;
  failure(): void;
}

/** How a breaker behaves: how many failures in a row open it, and for how long. `now` is a monotonic clock. */
export interface BreakerPolicy {
  readonly failures: number;
  readonly resetMs: number;
  readonly now?: () => number;
  /** Told after each change of state. */
  readonly onChange?: (state: BreakerState) => void;
}

/** A closed breaker. */
export function breaker({ failures, resetMs, now = () => performance.now(), onChange }: BreakerPolicy): Breaker {
  let state: BreakerState = "closed";
  let inARow = 0;
  let until = 0;

  function become(next: BreakerState): void {
    if (next === state) return;
    state = next;
    onChange?.(next);
  }

  function open(): void {
    inARow = 0;
    until = now() + resetMs;
    become("open");
  }

  return {
    get state() {
      return state;
    },
    wait() {
      if (state === "closed") return 0;
      const left = until - now();
      if (left > 0) return left;
      // a probe that never reports must not keep the breaker shut: after as long again the next caller may try
      until = now() + resetMs;
      become("half-open");
      return 0;
    },
    // results of calls that began before the breaker opened say nothing about now
    success() {
      if (state === "open") return;
      inARow = 0;
      become("closed");
    },
    failure() {
      if (state === "open") return;
      inARow += 1;
      if (state === "half-open" || inARow >= failures) open();
    },
  };
}
