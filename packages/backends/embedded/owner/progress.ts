/**
 * Counts what the owner thread does in memory that it shares with the thread that started it: odd while it reads
 * a request or runs a transaction, and another number after each step.
 */
export interface Progress {
  begin(): void;
  end(): void;
}

export const makeProgressMemory = (): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

export function createProgress(memory: Int32Array): Progress {
  const step = (by: number) => () => void Atomics.add(memory, 0, by);
  return { begin: step(1), end: step(1) };
}

/** Returns the count of now. */
export const readProgress = (memory: Int32Array): number => Atomics.load(memory, 0);
