/** How long the owner may be silent while it owes an answer. */
const SILENCE_MS = 3_000;
const TICKS = 6;

export interface Watchdog {
  /** An answer is owed. */
  expect(): void;
  /** Something came, and more is owed. */
  heard(): void;
  /** Nothing is owed. */
  rest(): void;
}

/**
 * Calls `silent` when an answer is owed and nothing came for a while. Time in which this process was blocked does not
 * count, nor does time in which the owner is busy: `ask` finds out.
 */
export function createWatchdog(silent: () => void, ask: (working: () => void) => void): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  let ticks = 0;
  const hear = (): void => {
    ticks = 0;
  };
  // a blocked event loop ticks once, not as often as it missed, and then reads what has arrived
  const tick = (): void => {
    ticks += 1;
    if (ticks >= TICKS) silent();
    else ask(hear);
  };
  return {
    expect() {
      if (timer !== undefined) return;
      ticks = 0;
      timer = setInterval(tick, SILENCE_MS / TICKS);
    },
    heard: hear,
    rest() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
