import type { Clock } from "@vcon-server/core";

/** Milliseconds of real time without any request under way after which everybody is taken to be waiting. */
const IDLE_MS = 250;
const LOOK_MS = 10;

export interface IdleClock extends Clock {
  /** Notes that something is going on; the returned function notes its end. */
  busy(): () => void;
  stop(): void;
}

/**
 * A clock whose time passes only while nothing else happens: then it jumps to the end of the shortest sleep. Waits and
 * time limits of minutes are over in a moment, and no limit ends what is still being worked on.
 */
export function idleClock(start: number): IdleClock {
  const sleepers = new Set<{ readonly due: number; readonly wake: () => void }>();
  let [now, active, quietSince] = [start, 0, performance.now()];

  function look(): void {
    if (active > 0 || sleepers.size === 0) quietSince = performance.now();
    else if (performance.now() - quietSince >= IDLE_MS) {
      now = Math.max(now, Math.min(...[...sleepers].map(({ due }) => due)));
      quietSince = performance.now();
      for (const sleeper of [...sleepers]) if (sleeper.due <= now) sleeper.wake();
    }
  }

  const looking = setInterval(look, LOOK_MS);
  return {
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      // whoever only lets others go first does not wait for time to pass
      if (ms <= 0) return new Promise((resolve) => setImmediate(resolve));
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const sleeper = { due: now + ms, wake: resolve };
      const aborted = () => reject(signal?.reason);
      signal?.addEventListener("abort", aborted, { once: true });
      sleepers.add(sleeper);
      quietSince = performance.now();
      try {
        await promise;
      } finally {
        sleepers.delete(sleeper);
        signal?.removeEventListener("abort", aborted);
      }
    },
    busy() {
      active++;
      return () => {
        active--;
        quietSince = performance.now();
      };
    },
    stop: () => clearInterval(looking),
  };
}
