import { readDate } from "@vcon-server/vcon";
import { type Bson, EXACT, isPlain, isReserved, type Members, spelled } from "./to-bson.ts";

/** JSON of the stored document. Throws an `Error` when it holds a value that no JSON has. */
export function jsonOf(document: Members, bson: Bson): string {
  const { _id: _, [EXACT]: exact, ...members } = document;
  const places = placesOf(exact);
  return places.json ?? textOf(members, places, bson);
}

/** The noted places as a tree, so that a document is gone through once. */
interface Places {
  json?: string;
  readonly inside: Map<string, Places>;
}

function placesOf(exact: unknown): Places {
  const root: Places = { inside: new Map() };
  for (const entry of Array.isArray(exact) ? exact : []) {
    if (!isPlain(entry) || typeof entry["at"] !== "string" || typeof entry["json"] !== "string") continue;
    let at = root;
    for (const step of entry["at"].split("/").slice(1)) {
      const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
      const next = at.inside.get(name) ?? { inside: new Map() };
      at.inside.set(name, next);
      at = next;
    }
    at.json = entry["json"];
  }
  return root;
}

function textOf(value: unknown, places: Places | undefined, bson: Bson): string {
  if (value instanceof bson.Long) return value.toString();
  if (value instanceof bson.Decimal128) return numberText(value.toString());
  if (value instanceof bson.DBRef) return textOf(value.toJSON(), places, bson);
  if (value instanceof Date) return datedText(value, places?.json);
  if (Array.isArray(value)) {
    return `[${value.map((element, index) => textOf(element, places?.inside.get(String(index)), bson)).join()}]`;
  }
  if (typeof value === "number") {
    return places?.json !== undefined && Number(places.json) === value ? places.json : numberText(String(value));
  }
  if (!isPlain(value)) return plainText(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${textOf(member, places?.inside.get(name), bson)}`,
  );
  for (const [name, { json }] of places?.inside ?? []) {
    const missing = json !== undefined && isReserved(name, 0) && !Object.hasOwn(value, name);
    if (missing) members.push(`${JSON.stringify(name)}:${json}`);
  }
  return `{${members.join()}}`;
}

/** The noted text counts as long as it says the same time: whoever changed the date in the database is heard. */
function datedText(date: Date, noted: string | undefined): string {
  const text: unknown = noted === undefined ? undefined : JSON.parse(noted);
  return typeof text === "string" && readDate(text)?.ms === date.getTime()
    ? JSON.stringify(text)
    : JSON.stringify(spelled(date));
}

function numberText(text: string): string {
  if (!/^-?\d/.test(text)) throw new Error(`it holds ${text}, which is no number of JSON`);
  return text;
}

function plainText(value: unknown): string {
  if (value === null || typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  const kind = typeof value === "object" ? value.constructor.name : typeof value;
  throw new Error(`it holds a value of the kind ${kind}, which JSON does not have`);
}
