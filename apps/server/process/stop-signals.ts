/** Signals within this time are one wish to stop: service managers signal the whole group, the supervisor passes it on. */
const SAME_WISH_MS = 1_000;

/**
 * Counts wishes to stop that arrive within a moment as one. The handler is told whether it was asked before, so that
 * a second wish can shorten the grace time. `now` is monotonic milliseconds.
 */
export function createStopWish(
  handler: (again: boolean) => void,
  now: () => number = () => performance.now(),
): () => void {
  let asked = 0;
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const at = now();
    if (at - last < SAME_WISH_MS) return;
    last = at;
    handler(asked++ > 0);
  };
}
