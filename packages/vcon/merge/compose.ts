import { deepEqual } from "../shape.ts";
import type { Alignment } from "./align.ts";
import { isTagList } from "./tags.ts";

/** An element of the merged list: its positions in the list before and in both edits. */
export interface Entry {
  readonly base: number | undefined;
  readonly mine: number | undefined;
  readonly theirs: number | undefined;
}

/** Two edits of one list, elements comparable: their indices are translated as far as they can be. */
export interface Edited {
  readonly base: readonly unknown[];
  readonly mine: readonly unknown[];
  readonly theirs: readonly unknown[];
  readonly alignMine: Alignment;
  readonly alignTheirs: Alignment;
  /** Whether an element that both added may be taken as one and the same. */
  readonly mayBeTwins: (mine: unknown) => boolean;
}

/** The entries of the merged list: as before the edits, where something was put in first theirs, then mine. */
export function compose(edited: Edited): Entry[] {
  const { base, alignMine, alignTheirs } = edited;
  const mine = placed(alignMine, base.length);
  const theirs = placed(alignTheirs, base.length);
  const twins = twinsOf(edited, mine.added.flat(), theirs.added.flat());
  const taken = new Set(twins.values());
  const entries: Entry[] = [];
  for (let at = 0; at <= base.length; at++) {
    for (const index of theirs.added[at] ?? [])
      entries.push({ base: undefined, mine: twins.get(index), theirs: index });
    for (const index of mine.added[at] ?? [])
      if (!taken.has(index)) entries.push({ base: undefined, mine: index, theirs: undefined });
    if (at < base.length) entries.push({ base: at, mine: mine.kept[at], theirs: theirs.kept[at] });
  }
  return entries;
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

/** Mine for each of theirs that both added: equal elements, and the tags attachment of either. */
function twinsOf(edited: Edited, mine: readonly number[], theirs: readonly number[]): ReadonlyMap<number, number> {
  const twins = new Map<number, number>();
  const left = [...mine];
  for (const index of theirs) {
    const other = edited.theirs[index];
    const at = left.findIndex((candidate) => {
      const own = edited.mine[candidate];
      return edited.mayBeTwins(own) && (deepEqual(own, other) || (isTagList(own) && isTagList(other)));
    });
    const found = left[at];
    if (found === undefined) continue;
    twins.set(index, found);
    left.splice(at, 1);
  }
  return twins;
}
