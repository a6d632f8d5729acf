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

/**
 * Groups calls without a timer: everything that arrives in one turn of the event loop, or while `parallel` batches
 * are under way, travels together. An idle system adds no latency, a busy one makes its own big batches.
 */
export function createBatcher<In, Out>(
  send: (items: In[]) => Promise<readonly Out[]>,
  limits: { readonly max: number; readonly parallel: number },
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

  function pump(): void {
    scheduled = false;
    while (waiting.length > 0 && active < limits.parallel) {
      const batch = waiting.slice(0, limits.max);
      waiting = waiting.slice(limits.max);
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
