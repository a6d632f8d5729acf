import type { Alignment } from "./align.ts";

/** An element of the merged list: its positions in the list before and in both edits. */
export interface Entry {
  readonly base: number | undefined;
  readonly mine: number | undefined;
  readonly theirs: number | undefined;
}

/** Which element of each edit was where before, and which of the added ones are the same (theirs → mine). */
export interface Placement {
  /** How many elements there were before. */
  readonly length: number;
  readonly mine: Alignment;
  readonly theirs: Alignment;
  readonly twins: ReadonlyMap<number, number>;
}

/** The entries of the merged list: as before the edits; where something was put in, first theirs, then mine. */
export function compose({ length, mine, theirs, twins }: Placement): Entry[] {
  const own = placed(mine, length);
  const other = placed(theirs, length);
  const taken = new Set(twins.values());
  const entries: Entry[] = [];
  for (let at = 0; at <= length; at++) {
    for (const index of other.added[at] ?? []) entries.push({ base: undefined, mine: twins.get(index), theirs: index });
    for (const index of own.added[at] ?? [])
      if (!taken.has(index)) entries.push({ base: undefined, mine: index, theirs: undefined });
    if (at < length) entries.push({ base: at, mine: own.kept[at], theirs: other.kept[at] });
  }
  return entries;
}

/** Pairs elements that both edits added, of theirs → of mine, in order. Those with the same text are the same. */
export function pairTwins(
  mine: readonly (readonly [number, unknown])[],
  theirs: readonly (readonly [number, unknown])[],
  textOf: (element: unknown) => string,
): ReadonlyMap<number, number> {
  const twins = new Map<number, number>();
  if (mine.length === 0 || theirs.length === 0) return twins;
  // comparing each with each would take hours for lists of a hundred thousand
  const left = Map.groupBy(mine.toReversed(), ([, element]) => textOf(element));
  for (const [index, element] of theirs) {
    const found = left.get(textOf(element))?.pop();
    if (found) twins.set(index, found[0]);
  }
  return twins;
}

interface Placed {
  /** Position in the edit of each element that was there before. */
  readonly kept: readonly (number | undefined)[];
  /** Positions of added elements, by the element before which they stand. */
  readonly added: readonly (readonly number[])[];
}

function placed(alignment: Alignment, length: number): Placed {
  const kept: (number | undefined)[] = Array.from({ length }, () => undefined);
  const added: number[][] = Array.from({ length: length + 1 }, () => []);
  let next = 0;
  for (const [index, before] of alignment.entries()) {
    if (before === undefined) added[next]?.push(index);
    else {
      kept[before] = index;
      next = before + 1;
    }
  }
  return { kept, added };
}
