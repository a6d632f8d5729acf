import type { StoredVcon } from "@vcon-server/core";
import { isRawNumber, readDate, writeDate } from "@vcon-server/vcon";

/** What is needed of the driver: numbers of 64 bits, and the kinds of values that other programs may have written. */
export type Bson = Pick<typeof import("mongodb"), "Long" | "Decimal128" | "DBRef">;

/** Members of a document besides `_id`. */
export type Members = Readonly<Record<string, unknown>>;

/**
 * Member that keeps what BSON or the server would change: a list of places (JSON pointers) and the JSON that stood
 * there. Documents that need none do not have it.
 */
export const EXACT = "_vcon_exact";

/** Levels of nesting that every server keeps; what is deeper is kept as JSON text. */
const MAX_DEPTH = 90;

/** The members to store: dates as the original stored them, and beside them what would not come back as it was. */
export function membersOf({ vcon, bytes }: StoredVcon, { Long }: Bson): Members {
  const notes: Notes = { entries: [], size: 0, limit: bytes.length, whole: false, Long };
  const root: Place = { name: "", depth: 0 };
  const members = objectOf(vcon, root, notes);
  setDate(members, below(root, "created_at"), notes);
  const dialogs = below(root, "dialog");
  if (Array.isArray(members["dialog"])) {
    for (const [index, dialog] of members["dialog"].entries()) {
      if (isPlain(dialog)) setDate(dialog, below(below(dialogs, index), "start"), notes);
    }
  }
  const entries = notes.whole ? [{ at: "", json: new TextDecoder().decode(bytes) }] : notes.entries;
  return entries.length === 0 ? members : { ...members, [EXACT]: entries };
}

interface Entry {
  /** JSON pointer; empty for the whole document. */
  readonly at: string;
  readonly json: string;
}

/** What is found out on the way through a document. */
interface Notes {
  readonly entries: Entry[];
  /** Characters of the pointers so far. */
  size: number;
  /** Characters the pointers may have: long names with many members below them would need more than the text itself. */
  readonly limit: number;
  /** The document can only be kept as text. */
  whole: boolean;
  readonly Long: Bson["Long"];
}

/** Where a value stands: its name in what is around it. */
interface Place {
  readonly name: string | number;
  readonly depth: number;
  readonly inside?: Place;
}

/** Whether BSON keeps the value as it is. Most values of a vCon are such, so that they are seen to first. */
function isLeaf(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  return typeof value === "number" ? Number.isFinite(value) : typeof value === "boolean" || value === null;
}

function bsonOf(value: unknown, place: Place, notes: Notes): unknown {
  if (typeof value === "string") {
    notes.whole = true;
    return value.toWellFormed();
  }
  if (typeof value !== "object" || value === null) return null;
  if (isRawNumber(value)) return numberOf(value.rawJSON, place, notes);
  if (place.depth > MAX_DEPTH) {
    notes.whole = true;
    return null;
  }
  if (!Array.isArray(value)) return objectOf(value, place, notes);
  return value.map((element, index) => (isLeaf(element) ? element : bsonOf(element, below(place, index), notes)));
}

/** Members as BSON; those whose names it or the server does not take are noted instead. */
function objectOf(object: object, place: Place, notes: Notes): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    if (name === "_bsontype" || name.includes("\0") || !name.isWellFormed()) notes.whole = true;
    else if (isReserved(name, place.depth)) note(below(place, name), JSON.stringify(value), notes);
    else {
      const kept = isLeaf(value) ? value : bsonOf(value, below(place, name), notes);
      if (name !== "__proto__") members[name] = kept;
      else Object.defineProperty(members, name, { value: kept, enumerable: true, writable: true, configurable: true });
    }
  }
  return members;
}

/** A number that no double holds: one of 64 bits when it is a whole number, else the nearest double. */
function numberOf(text: string, place: Place, notes: Notes): unknown {
  const long = /^-?\d{1,19}$/.test(text) ? notes.Long.fromString(text) : undefined;
  if (long?.toString() === text) return long;
  note(place, text, notes);
  return Number(text);
}

/** Replaces a date as text by a BSON date. One that cannot be read stays a text. */
function setDate(holder: Record<string, unknown>, place: Place, notes: Notes): void {
  const name = String(place.name);
  const text = Object.hasOwn(holder, name) ? holder[name] : undefined;
  const read = typeof text === "string" ? readDate(text) : undefined;
  if (!read) return;
  const date = new Date(read.ms);
  holder[name] = date;
  if (spelled(date) !== text) note(place, JSON.stringify(text), notes);
}

function note(place: Place, json: string, notes: Notes): void {
  if (notes.whole) return;
  const at = pointerOf(place);
  notes.size += at.length;
  if (notes.size > notes.limit) notes.whole = true;
  else notes.entries.push({ at, json });
}

/** The server takes no `$` at the start of a name, some not even inside; drivers read some as references. */
export const isReserved = (name: string, depth: number): boolean =>
  name.startsWith("$") || (depth === 0 && (name === "_id" || name === EXACT));

const below = (inside: Place, name: string | number): Place => ({ name, depth: inside.depth + 1, inside });

const pointerOf = ({ name, inside }: Place): string =>
  inside ? `${pointerOf(inside)}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}` : "";

/** The date as it comes back when nothing is noted. */
export const spelled = (date: Date): string => writeDate(date.getTime()) ?? date.toISOString();

export const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
