import { deepEqual, type JsonObject, own } from "../shape.ts";
import { type CanonicalList, canonicalLists, SIDES, type Side, toPositions } from "./canonical.ts";
import type { Entry } from "./compose.ts";
import { type Conflict, mergeValue, type Versions } from "./members.ts";
import { LISTS, type List, referencesOf, translated } from "./references.ts";
import { mergeTags } from "./tags.ts";

type Lists = Readonly<Record<List, CanonicalList>>;
/** Numbers of the entries that stay, by list. */
type Staying = Readonly<Record<List, Set<number>>>;

/** The merged lists by name; a list that is none in one of the versions is left to the caller. */
export function mergeLists(versions: Readonly<Record<Side, JsonObject>>, conflict: Conflict): JsonObject {
  const names = LISTS.filter((list) => {
    const values = SIDES.map((side) => own(versions[side], list)).filter((value) => value !== undefined);
    return values.length > 0 && values.every(Array.isArray);
  });
  const lists = canonicalLists(versions);
  const staying = stayingEntries(lists, conflict);
  const order = (list: List): number[] => [...staying[list]].sort((a, b) => a - b);
  const numbers = {
    parties: order("parties"),
    dialog: order("dialog"),
    attachments: order("attachments"),
    analysis: order("analysis"),
  };
  const placed = (list: List): ReadonlyMap<number, number> => new Map(numbers[list].map((number, at) => [number, at]));
  const translate = toPositions({
    parties: placed("parties"),
    dialog: placed("dialog"),
    attachments: placed("attachments"),
    analysis: placed("analysis"),
  });
  const result = names.flatMap((list): [string, readonly unknown[]][] => {
    const merged = numbers[list].map((number, at) => {
      const element = mergedElement(lists[list], number, { list, pointer: `/${list}/${at}`, conflict });
      return translated(element, list, translate);
    });
    const gone = own(versions.mine, list) === undefined || own(versions.theirs, list) === undefined;
    return merged.length > 0 || !gone ? [[list, merged]] : [];
  });
  return Object.fromEntries(result);
}

/** An element that one edit removed goes, unless the other edit changed it, or something that stays points at it. */
function stayingEntries(lists: Lists, conflict: Conflict): Staying {
  const staying: Staying = { parties: new Set(), dialog: new Set(), attachments: new Set(), analysis: new Set() };
  const waiting: (readonly [List, number])[] = [];
  const keep = (list: List, number: number): void => {
    if (staying[list].has(number)) return;
    staying[list].add(number);
    waiting.push([list, number]);
  };
  for (const list of LISTS) {
    for (const number of lists[list].entries.keys()) if (stays(lists[list], number)) keep(list, number);
  }
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [list, number] = next;
    const element = mergedElement(lists[list], number, { list, pointer: "", conflict: () => undefined });
    for (const [into, target] of referencesOf(element, list)) {
      const entry = lists[into].entries[target];
      if (entry && (entry.mine !== undefined || entry.theirs !== undefined)) keep(into, target);
    }
  }
  for (const list of LISTS) {
    for (const [number, entry] of lists[list].entries.entries())
      tellRemoval(lists[list], entry, { list, kept: staying[list].has(number), conflict });
  }
  return staying;
}

function stays(list: CanonicalList, number: number): boolean {
  const entry = list.entries[number];
  if (!entry || entry.base === undefined) return true;
  if (entry.mine !== undefined) return entry.theirs !== undefined || isChanged(list, entry, "mine");
  return false;
}

function tellRemoval(
  canonical: CanonicalList,
  entry: Entry,
  { list, kept, conflict }: { readonly list: List; readonly kept: boolean; readonly conflict: Conflict },
): void {
  const { base, mine, theirs } = entry;
  if (base === undefined || (mine === undefined) === (theirs === undefined)) return;
  const pointer = `/${list}/${base}`;
  if (kept) conflict(pointer, "was removed by one edit and is kept, since the other one needs it", undefined);
  else if (mine === undefined && isChanged(canonical, entry, "theirs")) {
    conflict(pointer, "was removed; the other edit had changed it", canonical.elements.theirs[theirs!]);
  }
}

const isChanged = ({ elements }: CanonicalList, entry: Entry, side: "mine" | "theirs"): boolean =>
  !deepEqual(elements[side][entry[side] ?? -1], elements.base[entry.base ?? -1]);

interface Place {
  readonly list: List;
  readonly pointer: string;
  readonly conflict: Conflict;
}

function mergedElement(
  { entries, elements }: CanonicalList,
  number: number,
  { list, pointer, conflict }: Place,
): unknown {
  const version = (side: Side): unknown => elements[side][entries[number]?.[side] ?? -1];
  const versions: Versions = { base: version("base"), mine: version("mine"), theirs: version("theirs") };
  if (versions.mine === undefined) return versions.theirs;
  if (versions.theirs === undefined) return versions.mine;
  const contested =
    list === "attachments" &&
    !deepEqual(versions.mine, versions.theirs) &&
    !deepEqual(versions.mine, versions.base) &&
    !deepEqual(versions.theirs, versions.base);
  return (contested ? mergeTags(versions, pointer, conflict) : undefined) ?? mergeValue(versions, pointer, conflict);
}
