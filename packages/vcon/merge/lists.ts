import { deepEqual, type JsonObject, own } from "../shape.ts";
import { type Alignment, align } from "./align.ts";
import { compose, type Entry } from "./compose.ts";
import { type Conflict, mergeValue } from "./members.ts";
import { LISTS, type List, referencesOf, type Translate, translated } from "./references.ts";
import { mergeTags } from "./tags.ts";

type Side = "base" | "mine" | "theirs";
const SIDES = ["base", "mine", "theirs"] as const;

/** Three versions of every list, and for the edits which element is which. */
interface Edit {
  readonly lists: Readonly<Record<Side, Readonly<Record<List, readonly unknown[]>>>>;
  readonly aligned: Readonly<Record<"mine" | "theirs", Readonly<Record<List, Alignment>>>>;
}

/** Where the elements of each version stand in the merged list; `undefined` for those that went. */
type Positions = Map<string, (number | undefined)[]>;

/** The merged lists by name; lists that no version has, or that are no lists, are left to the caller. */
export function mergeLists(versions: Readonly<Record<Side, JsonObject>>, conflict: Conflict): JsonObject {
  const names = LISTS.filter((list) => {
    const values = SIDES.map((side) => own(versions[side], list)).filter((value) => value !== undefined);
    return values.length > 0 && values.every(Array.isArray);
  });
  const edit = editOf(versions);
  const positions: Positions = new Map();
  const result: Record<string, readonly unknown[]> = {};
  const chosen = names.map((list) => [list, entriesOfList(edit, list, { positions, conflict })] as const);
  for (const [list, entries] of chosen) {
    const merged = entries.map((entry, at) => elementOf(entry, { edit, list, positions, conflict, at }));
    const gone = own(versions.mine, list) === undefined || own(versions.theirs, list) === undefined;
    if (merged.length > 0 || !gone) result[list] = merged;
  }
  return result;
}

function editOf(versions: Readonly<Record<Side, JsonObject>>): Edit {
  const listsOf = (vcon: JsonObject): Record<List, readonly unknown[]> => {
    const list = (name: List): readonly unknown[] => {
      const value = own(vcon, name);
      return Array.isArray(value) ? value : [];
    };
    return {
      parties: list("parties"),
      dialog: list("dialog"),
      attachments: list("attachments"),
      analysis: list("analysis"),
    };
  };
  const lists = { base: listsOf(versions.base), mine: listsOf(versions.mine), theirs: listsOf(versions.theirs) };
  const alignedTo = (side: "mine" | "theirs"): Record<List, Alignment> => ({
    parties: align(lists.base.parties, lists[side].parties),
    dialog: align(lists.base.dialog, lists[side].dialog),
    attachments: align(lists.base.attachments, lists[side].attachments),
    analysis: align(lists.base.analysis, lists[side].analysis),
  });
  return { lists, aligned: { mine: alignedTo("mine"), theirs: alignedTo("theirs") } };
}

interface Merging {
  readonly positions: Positions;
  readonly conflict: Conflict;
}

/** The entries of one list without those that were removed, and their positions noted for the lists that follow. */
function entriesOfList(edit: Edit, list: List, { positions, conflict }: Merging): Entry[] {
  const view = (side: Side): readonly unknown[] =>
    edit.lists[side][list].map((element) => translated(element, list, translator(positions, side)));
  const [base, mine, theirs] = [view("base"), view("mine"), view("theirs")];
  const sameAdditions = deepEqual(added(edit, "mine", list), added(edit, "theirs", list));
  const composed = compose({
    base,
    mine,
    theirs,
    alignMine: edit.aligned.mine[list],
    alignTheirs: edit.aligned.theirs[list],
    mayBeTwins: (element) => sameAdditions || !pointsAtAdded(element, list, edit),
  });
  const entries = composed.filter((entry) => survives(entry, { edit, list, conflict, base, mine, theirs }));
  for (const side of SIDES) {
    const places: (number | undefined)[] = edit.lists[side][list].map(() => undefined);
    for (const [at, entry] of entries.entries()) {
      const index = entry[side];
      if (index !== undefined) places[index] = at;
    }
    positions.set(`${side} ${list}`, places);
  }
  return entries;
}

const translator =
  (positions: Positions, side: Side): Translate =>
  (list, index) =>
    positions.get(`${side} ${list}`)?.[index] ?? index;

const added = (edit: Edit, side: "mine" | "theirs", list: List): unknown[] =>
  edit.lists[side][list].filter((_, at) => edit.aligned[side][list][at] === undefined);

/** Whether the element points at something in its own list that was not there before. */
const pointsAtAdded = (element: unknown, list: List, edit: Edit): boolean =>
  referencesOf(element, list).some(([into, index]) => into === list && index >= edit.lists.base[list].length);

interface Removal {
  readonly edit: Edit;
  readonly list: List;
  readonly conflict: Conflict;
  readonly base: readonly unknown[];
  readonly mine: readonly unknown[];
  readonly theirs: readonly unknown[];
}

/** An element that one side removed goes, unless the other side changed it meanwhile or made something point at it. */
function survives(entry: Entry, { edit, list, conflict, base, mine, theirs }: Removal): boolean {
  if (entry.base === undefined || (entry.mine !== undefined && entry.theirs !== undefined)) return true;
  if (entry.mine === undefined && entry.theirs === undefined) return false;
  const pointer = `/${list}/${entry.base}`;
  if (entry.mine === undefined) {
    if (isReferred(edit, "theirs", [list, entry.theirs])) {
      conflict(pointer, "was removed by one edit and is kept: the other one points at it", undefined);
      return true;
    }
    const other = theirs[entry.theirs!];
    if (!deepEqual(other, base[entry.base])) conflict(pointer, "was removed; the other edit had changed it", other);
    return false;
  }
  const changed = !deepEqual(mine[entry.mine], base[entry.base]);
  if (!changed && !isReferred(edit, "mine", [list, entry.mine])) return false;
  conflict(pointer, "was removed by the other edit and is kept, since this one needs it", undefined);
  return true;
}

/** Whether something that this side added or changed points at the element. */
function isReferred(edit: Edit, side: "mine" | "theirs", [list, index]: readonly [List, number | undefined]): boolean {
  return LISTS.some((from) =>
    edit.lists[side][from].some((element, at) => {
      const before = edit.aligned[side][from][at];
      const isNew = before === undefined || !deepEqual(element, edit.lists.base[from][before]);
      return isNew && referencesOf(element, from).some(([into, to]) => into === list && to === index);
    }),
  );
}

interface Element extends Merging {
  readonly edit: Edit;
  readonly list: List;
  readonly at: number;
}

function elementOf(entry: Entry, { edit, list, positions, conflict, at }: Element): unknown {
  const version = (side: Side): unknown => {
    const index = entry[side];
    return index === undefined
      ? undefined
      : translated(edit.lists[side][list][index], list, translator(positions, side));
  };
  const [base, mine, theirs] = [version("base"), version("mine"), version("theirs")];
  if (mine === undefined) return theirs;
  if (theirs === undefined) return mine;
  const pointer = `/${list}/${at}`;
  const contested = !deepEqual(mine, theirs) && !deepEqual(mine, base) && !deepEqual(theirs, base);
  const tags = contested && list === "attachments" ? mergeTags({ base, mine, theirs }, pointer, conflict) : undefined;
  return tags ?? mergeValue({ base, mine, theirs }, pointer, conflict);
}
