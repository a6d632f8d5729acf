/** What may be kept, at most. */
export interface Bounds<V> {
  readonly entries: number;
  readonly bytes: number;
  /** Milliseconds an answer is good for; 0 keeps and shares none. */
  readonly ms: number;
  readonly sizeOf: (value: V) => number;
}

export interface Asking {
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Answers by what was asked: the same question is put once, also by several who ask at the same time. */
export interface Answers<V> {
  /**
   * The kept answer, or what `make` returns. Its signal aborts when nobody waits any more. Failures go to all who wait
   * and are not kept. `fresh`: this is the first to get the answer.
   */
  get(
    key: string,
    asking: Asking,
    make: (signal: AbortSignal) => Promise<V>,
  ): Promise<{ readonly value: V; readonly fresh: boolean }>;
}

interface Kept<V> {
  readonly value: V;
  readonly bytes: number;
  readonly until: number;
}

interface Flight<V> {
  readonly landed: Promise<V>;
  readonly controller: AbortController;
  waiting: number;
  claimed: boolean;
}

export function openAnswers<V>(bounds: Bounds<V>): Answers<V> {
  const kept = new Map<string, Kept<V>>();
  const flights = new Map<string, Flight<V>>();
  let bytes = 0;

  function forget(key: string): void {
    bytes -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  }

  function keep(key: string, value: V, now: number): void {
    const size = bounds.sizeOf(value);
    if (size > bounds.bytes) return;
    forget(key);
    kept.set(key, { value, bytes: size, until: now + bounds.ms });
    bytes += size;
    // a map keeps its order: the first is the one that nobody asked for longest
    for (const [oldest] of kept) {
      if (kept.size <= bounds.entries && bytes <= bounds.bytes) break;
      forget(oldest);
    }
  }

  function recall(key: string, now: number): Kept<V> | undefined {
    const found = kept.get(key);
    if (!found) return undefined;
    kept.delete(key);
    if (found.until > now) kept.set(key, found);
    else bytes -= found.bytes;
    return found.until > now ? found : undefined;
  }

  function depart(key: string, now: number, make: (signal: AbortSignal) => Promise<V>): Flight<V> {
    const controller = new AbortController();
    const landed = make(controller.signal).then((value) => {
      keep(key, value, now);
      return value;
    });
    const flight = { landed, controller, waiting: 0, claimed: false };
    flights.set(key, flight);
    const end = () => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    landed.then(end, end);
    return flight;
  }

  return {
    async get(key, { signal, now }, make) {
      signal.throwIfAborted();
      if (bounds.ms === 0) return { value: await make(signal), fresh: true };
      const found = recall(key, now);
      if (found) return { value: found.value, fresh: false };
      const flight = flights.get(key) ?? depart(key, now, make);
      flight.waiting++;
      try {
        const value = await unlessAborted(flight.landed, signal);
        const fresh = !flight.claimed;
        flight.claimed = true;
        return { value, fresh };
      } finally {
        flight.waiting--;
        if (flight.waiting === 0) {
          if (flights.get(key) === flight) flights.delete(key);
          flight.controller.abort(new Error("nobody waits for the answer any more"));
        }
      }
    },
  };
}

async function unlessAborted<V>(promise: Promise<V>, signal: AbortSignal): Promise<V> {
  const aborted = Promise.withResolvers<never>();
  const reject = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", reject, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", reject);
  }
}
