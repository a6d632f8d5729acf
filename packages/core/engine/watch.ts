/**
 * What a thread can see of the main thread without asking it: when its event loop last turned, and when the earliest
 * running link must be over. A link that blocks the loop cannot be timed out by a timer; the thread that keeps the
 * leases alive sees it here and ends the process.
 */
export interface Watch {
  /** Shared with the watching thread. */
  readonly memory: SharedArrayBuffer;
  /** Notes a running link; the returned function notes its end. */
  begin(label: string, deadline: number): () => void;
  stop(): void;
}

/** Reading it costs more than the clock itself. */
const ORIGIN = performance.timeOrigin;
const LABEL_BYTES = 200;
const BYTES = 16 + LABEL_BYTES;
const TICK_MS = 50;

interface Running {
  readonly label: string;
  readonly deadline: number;
}

/** Starts watching the current thread's event loop. Times come from `monotonic`. */
export function createWatch(now: () => number = monotonic): Watch {
  const memory = new SharedArrayBuffer(BYTES);
  const times = new Float64Array(memory, 0, 2);
  const label = new Uint8Array(memory, 16, LABEL_BYTES);
  const running = new Set<Running>();
  const encoder = new TextEncoder();

  function publish(earliest: Running | undefined): void {
    times[1] = earliest?.deadline ?? Number.POSITIVE_INFINITY;
    label.fill(0);
    if (earliest) encoder.encodeInto(earliest.label, label);
  }

  function turn(): void {
    times[0] = now();
    let earliest: Running | undefined;
    for (const run of running) if (!earliest || run.deadline < earliest.deadline) earliest = run;
    publish(earliest);
  }

  turn();
  const timer = setInterval(turn, TICK_MS);
  timer.unref();
  return {
    memory,
    begin(name, deadline) {
      const run = { label: name, deadline };
      running.add(run);
      if (deadline < (times[1] as number)) publish(run);
      return () => running.delete(run);
    },
    stop: () => clearInterval(timer),
  };
}

/** Milliseconds that never jump, the same in every thread of the process. */
export const monotonic = (): number => ORIGIN + performance.now();

/** The link that keeps the watched thread from turning past its deadline, if there is one. */
export function stalledBy(memory: SharedArrayBuffer, now: number, slack: number): string | undefined {
  const [turned = 0, deadline = 0] = new Float64Array(memory, 0, 2);
  if (now < deadline + slack || turned >= deadline) return undefined;
  const label = new Uint8Array(memory, 16, LABEL_BYTES).slice();
  return new TextDecoder().decode(label).replaceAll("\0", "") || "a link";
}
