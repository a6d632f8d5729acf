import { BatchFailure } from "../backend/backend.ts";

/** One call at a time in, batches out. */
export interface Batcher<In, Out> {
  /** Resolves with this item's result once the batch it travelled in is done. */
  add(item: In): Promise<Out>;
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>;
}

interface Waiting<In, Out> {
  readonly item: In;
  readonly resolve: (out: Out) => void;
  readonly reject: (error: unknown) => void;
}

interface Limits<In> {
  /** Items in one batch. */
  readonly max: number;
  readonly parallel: number;
  /** Bytes of an item; a batch holds no more than `BATCH_BYTES` unless a single item has more. */
  readonly weigh?: (item: In) => number;
}

/** A batch is in memory several times on its way: as documents, on the wire and at the other side. */
const BATCH_BYTES = 16 * 1024 * 1024;

/**
 * Groups calls without a timer: everything that arrives in one turn of the event loop, or while `parallel` batches
 * are under way, travels together. An idle system adds no latency, a busy one makes its own big batches.
 */
export function createBatcher<In, Out>(
  send: (items: In[]) => Promise<readonly Out[]>,
  limits: Limits<In>,
): Batcher<In, Out> {
  let waiting: Waiting<In, Out>[] = [];
  let active = 0;
  let scheduled = false;
  let idlers: (() => void)[] = [];

  async function flush(batch: readonly Waiting<In, Out>[]): Promise<void> {
    try {
      const results = await send(batch.map(({ item }) => item));
      for (const [at, { resolve }] of batch.entries()) resolve(results[at] as Out);
    } catch (error) {
      for (const [at, { resolve, reject }] of batch.entries()) {
        const result = error instanceof BatchFailure ? error.results[at] : error;
        if (result instanceof Error) reject(result);
        else resolve(result as Out);
      }
    } finally {
      active--;
      pump();
    }
  }

  /** How many of those that wait make one batch; at least one. */
  function countFitting(): number {
    const { max, weigh } = limits;
    if (weigh === undefined) return max;
    let bytes = 0;
    const past = waiting.slice(0, max).findIndex(({ item }, at) => {
      bytes += weigh(item);
      return at > 0 && bytes > BATCH_BYTES;
    });
    return past < 0 ? max : past;
  }

  function pump(): void {
    scheduled = false;
    while (waiting.length > 0 && active < limits.parallel) {
      const size = countFitting();
      const batch = waiting.slice(0, size);
      waiting = waiting.slice(size);
      active++;
      void flush(batch);
    }
    if (waiting.length === 0 && active === 0) {
      for (const resolve of idlers) resolve();
      idlers = [];
    }
  }

  return {
    add: (item) =>
      new Promise<Out>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        if (!scheduled && active < limits.parallel) {
          scheduled = true;
          setImmediate(pump);
        }
      }),
    idle: () =>
      waiting.length === 0 && active === 0 ? Promise.resolve() : new Promise<void>((resolve) => idlers.push(resolve)),
  };
}
