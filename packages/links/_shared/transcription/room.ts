import { type Clock, VconError } from "@vcon-server/core";

/** What somebody has of a room; whoever takes it gives it back. */
export interface Place {
  /** Gives back what turned out not to be needed. */
  shrink(size: number): void;
  /** Gives everything back; further calls do nothing. */
  leave(): void;
}

/** Room for so much at a time (bytes, programs), shared by all runs. First come, first served. */
export interface Room {
  readonly size: number;
  /**
   * Waits until there is room. Rejects with the signal's reason, or with `VCON_SERVICE_QUOTA` after a minute: the run
   * then makes way for others and comes back later, which does not count as a failed try.
   */
  take(size: number, wait: Wait): Promise<Place>;
}

export interface Wait {
  readonly doing: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

const LONGEST_WAIT_MS = 60_000;
const COME_BACK_SECS = 15;

/** `remedy` says what to do about a room that is often full. */
export function openRoom(size: number, remedy: string): Room {
  const queue = new Set<{ readonly wanted: number; readonly enter: () => void }>();
  let free = size;

  function letIn(): void {
    for (const one of queue) {
      if (one.wanted > free) return;
      queue.delete(one);
      one.enter();
    }
  }

  function place(wanted: number): Place {
    let held = wanted;
    free -= wanted;
    const giveBack = (rest: number) => {
      free += held - rest;
      held = rest;
      letIn();
    };
    return { shrink: (rest) => giveBack(Math.min(held, Math.max(0, rest))), leave: () => giveBack(0) };
  }

  return {
    size,
    async take(asked, { doing, signal, clock }) {
      const wanted = Math.min(asked, size);
      signal.throwIfAborted();
      if (queue.size === 0 && wanted <= free) return place(wanted);
      const { promise, resolve, reject } = Promise.withResolvers<Place>();
      const waiting = { wanted, enter: () => resolve(place(wanted)) };
      const ended = new AbortController();
      const giveUp = (reason: unknown) => {
        queue.delete(waiting);
        reject(reason);
        letIn();
      };
      const aborted = () => giveUp(signal.reason);
      queue.add(waiting);
      signal.addEventListener("abort", aborted, { once: true });
      clock.sleep(LONGEST_WAIT_MS, ended.signal).then(
        () => giveUp(full(doing, remedy)),
        () => undefined,
      );
      try {
        return await promise;
      } finally {
        signal.removeEventListener("abort", aborted);
        ended.abort();
      }
    },
  };
}

const full = (doing: string, remedy: string): VconError =>
  new VconError("VCON_SERVICE_QUOTA", `${doing}: this process has its hands full; it is tried again later, ${remedy}`, {
    retryAfterSecs: COME_BACK_SECS,
  });
