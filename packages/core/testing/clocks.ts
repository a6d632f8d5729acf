import type { Clock } from "../plugin/link.ts";

/** A clock for tests that remembers how long it was asked to sleep. */
export interface FakeClock extends Clock {
  /** Milliseconds of each sleep, in order. */
  readonly slept: readonly number[];
}

export interface ManualClock extends Clock {
  /** Lets time pass; sleeps that are over by then resolve. */
  advance(ms: number): void;
}

const START = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A clock on which every sleep is over at once; its time moves on by what was slept. */
export function instantClock(start: number = START): FakeClock {
  const slept: number[] = [];
  let now = start;
  return {
    slept,
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

/** A clock that stands still until `advance` is called. */
export function manualClock(start: number = START): ManualClock {
  const sleepers = new Set<{ readonly due: number; readonly wake: () => void }>();
  let now = start;
  return {
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      if (ms <= 0) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const sleeper = { due: now + ms, wake: resolve };
      const aborted = () => reject(signal?.reason);
      sleepers.add(sleeper);
      signal?.addEventListener("abort", aborted, { once: true });
      try {
        await promise;
      } finally {
        sleepers.delete(sleeper);
        signal?.removeEventListener("abort", aborted);
      }
    },
    advance(ms) {
      now += ms;
      for (const { due, wake } of sleepers) if (due <= now) wake();
    },
  };
}

/** Numbers in [0, 1) that are the same on every run with the same seed. */
export function seededRandom(seed = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
