import { canonicalText, deepEqual, type JsonObject, own } from "../shape.ts";
import { type Alignment, align } from "./align.ts";
import { compose, type Entry, pairTwins } from "./compose.ts";
import { LISTS, type List, referencesOf, type Translate, translated } from "./references.ts";
import { isTagList } from "./tags.ts";

export const SIDES = ["base", "mine", "theirs"] as const;
export type Side = (typeof SIDES)[number];

/** One list of all three versions: its entries, and the elements with indices that are numbers of entries. */
export interface CanonicalList {
  readonly entries: readonly Entry[];
  readonly elements: Readonly<Record<Side, readonly unknown[]>>;
}

/** Entry number of each element of a version, by `side list`. */
type Numbers = Map<string, readonly number[]>;

/**
 * Brings the lists of three versions to one way of counting, so that elements can be compared: an index stands for the
 * same element in each of them. Each list is matched after those it points into.
 */
export function canonicalLists(versions: Readonly<Record<Side, JsonObject>>): Readonly<Record<List, CanonicalList>> {
  const numbers: Numbers = new Map();
  const of = (list: List): CanonicalList => {
    const raw = (side: Side): readonly unknown[] => listOf(versions[side], list);
    return canonicalList(list, { base: raw("base"), mine: raw("mine"), theirs: raw("theirs") }, numbers);
  };
  const [parties, dialog, attachments, analysis] = LISTS.map(of);
  return { parties: parties!, dialog: dialog!, attachments: attachments!, analysis: analysis! };
}

const listOf = (vcon: JsonObject, list: List): readonly unknown[] => {
  const value = own(vcon, list);
  return Array.isArray(value) ? value : [];
};

function canonicalList(list: List, raw: Readonly<Record<Side, readonly unknown[]>>, numbers: Numbers): CanonicalList {
  const view = (side: Side): readonly unknown[] =>
    raw[side].map((element) => translated(element, list, toNumbers(numbers, side)));
  const elements = { base: view("base"), mine: view("mine"), theirs: view("theirs") };
  const alignment = { mine: align(elements.base, elements.mine), theirs: align(elements.base, elements.theirs) };
  const [mine, theirs] = [added(elements.mine, alignment.mine), added(elements.theirs, alignment.theirs)];
  const alike = deepEqual(mine, theirs);
  const steady = ([, element]: readonly [number, unknown]): boolean =>
    alike || !pointsAtAdded(element, list, elements.base.length);
  const writeElement = (element: unknown): string =>
    list === "attachments" && isTagList(element) ? "tags" : canonicalText(element);
  const twins = pairTwins(mine.filter(steady), theirs.filter(steady), writeElement);
  const entries = compose({ length: elements.base.length, ...alignment, twins });
  for (const side of SIDES) numbers.set(`${side} ${list}`, numbersOf(entries, side));
  const within = (side: Side): readonly unknown[] =>
    elements[side].map((element) =>
      translated(element, list, (into, index) => (into === list ? toNumbers(numbers, side)(into, index) : index)),
    );
  return { entries, elements: { base: within("base"), mine: within("mine"), theirs: within("theirs") } };
}

/**
 * Indices that lead nowhere get this much more, which makes them numbers of no entry. Senders write fractions, too, but
 * not this one.
 */
const NOWHERE = 2 ** -20;

const toNumbers =
  (numbers: Numbers, side: Side): Translate =>
  (list, index) => {
    const known = numbers.get(`${side} ${list}`);
    return known && Number.isInteger(index) ? (known[index] ?? index + NOWHERE) : index;
  };

/** Indices of the merged lists for numbers of entries. */
export const toPositions =
  (positions: Readonly<Record<List, ReadonlyMap<number, number>>>): Translate =>
  (list, number) => {
    if (Number.isInteger(number)) return positions[list].get(number) ?? number;
    return number - Math.floor(number) === NOWHERE ? Math.floor(number) : number;
  };

function numbersOf(entries: readonly Entry[], side: Side): readonly number[] {
  const numbers: number[] = [];
  for (const [number, entry] of entries.entries()) {
    const index = entry[side];
    if (index !== undefined) numbers[index] = number;
  }
  return numbers;
}

const added = (elements: readonly unknown[], alignment: Alignment): (readonly [number, unknown])[] =>
  elements.flatMap((element, index) => (alignment[index] === undefined ? [[index, element] as const] : []));

/** Whether the element points at something in its own list that was not there before. */
const pointsAtAdded = (element: unknown, list: List, before: number): boolean =>
  referencesOf(element, list).some(([into, index]) => into === list && index >= before);
