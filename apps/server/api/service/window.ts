/** What the input gave next: an item, its end, or its failure. */
type Arrival<In> = { readonly step: IteratorResult<In> } | { readonly failure: unknown };

/**
 * Maps with several calls under way and results in the order of the items. Never more than `size` items are between
 * input and output, so a consumer that stops reading stops the input. A result is handed out as soon as those before
 * it were, whether or not the next item has arrived. When the input fails, so does this, after the results of what
 * arrived before.
 */
export async function* mapInOrder<In, Out>(
  items: AsyncIterable<In>,
  size: number,
  map: (item: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const source = items[Symbol.asyncIterator]();
  const advance = (): Promise<Arrival<In>> =>
    source.next().then(
      (step) => ({ step }),
      (failure: unknown) => ({ failure }),
    );
  const under: Promise<{ readonly out: Out }>[] = [];
  let coming: Promise<Arrival<In>> | undefined = advance();
  let failed: { readonly failure: unknown } | undefined;
  try {
    while (coming !== undefined || under.length > 0) {
      const waits: (Promise<{ readonly out: Out } | Arrival<In>> | undefined)[] = [
        under[0],
        under.length < size ? coming : undefined,
      ];
      const first = await Promise.race(waits.filter((wait) => wait !== undefined));
      if ("out" in first) {
        void under.shift();
        yield first.out;
      } else if ("failure" in first || first.step.done) {
        coming = undefined;
        failed = "failure" in first ? first : undefined;
      } else {
        coming = advance();
        under.push(begin(map, first.step.value));
      }
    }
  } finally {
    // not awaited: the input may be stuck, which is no reason to keep the output open
    source.return?.().catch(() => undefined);
  }
  if (failed) throw failed.failure;
}

/** A call whose failure is nobody's business until its turn comes. */
function begin<In, Out>(map: (item: In) => Promise<Out>, item: In): Promise<{ readonly out: Out }> {
  const call = map(item).then((out) => ({ out }));
  call.catch(() => undefined);
  return call;
}
