import { unixTime, writeDate } from "./date.ts";
import { readNumber, withIndices } from "./lax-number.ts";
import { sessionIdOf } from "./session-id.ts";
import { isAbsent, isObject, type JsonObject, without } from "./shape.ts";

/** The version of the draft whose names the server uses inside. */
export const CURRENT_VERSION = "0.4.0";

/** `vcon` values that mean an older draft. */
export const isOlderVersion = (version: unknown): boolean =>
  typeof version === "string" && /^(?:|0\.[0-3](?:\..*)?)$/.test(version);

/** Kinds of objects with names of their own: the document and the elements of its arrays. */
export type Kind = "top" | "parties" | "dialog" | "analysis" | "attachments";

/** The newer name of a member, and the type its value must have for the name to be changed. */
interface Rename {
  readonly to: string;
  readonly type: "string" | "array" | "object" | "number";
}

const string = (to: string): Rename => ({ to, type: "string" });
const critical: Rename = { to: "critical", type: "array" };

const COMMON: readonly (readonly [string, Rename])[] = [
  ["mimetype", string("mediatype")],
  ["schema_version", string("schema")],
  ["must_support", critical],
];
/** Older names of members, by the kind of object they stand in. */
const RENAMED: Readonly<Record<Kind, ReadonlyMap<string, Rename>>> = {
  top: new Map<string, Rename>([
    ["appended", { to: "amended", type: "object" }],
    ["must_support", critical],
    ["must_understand", critical],
  ]),
  dialog: new Map<string, Rename>([
    ...COMMON,
    ["transfer-target", { to: "transfer_target", type: "number" }],
    ["target-dialog", { to: "target_dialog", type: "number" }],
  ]),
  analysis: new Map<string, Rename>([
    ...COMMON,
    ["vendor_schema", string("schema")],
    ["vendor_product", string("product")],
  ]),
  attachments: new Map<string, Rename>([...COMMON, ["type", string("purpose")]]),
  parties: new Map<string, Rename>(),
};

const CONTENT = ["mediatype", "filename", "encoding", "url", "content_hash", "mimetype"];
/** Members that the types of the document describe: null means absent there, so it is left out. */
const TYPED = {
  top: new Set(
    "vcon created_at updated_at subject extensions critical redacted amended appended parties dialog analysis attachments".split(
      " ",
    ),
  ),
  dialog: new Set([
    ...CONTENT,
    ..."type start duration parties originator disposition message_id application".split(" "),
  ]),
  analysis: new Set([...CONTENT, ..."type dialog attachment vendor product schema".split(" ")]),
  attachments: new Set([...CONTENT, ..."purpose type start party dialog".split(" ")]),
  parties: new Set("tel sip stir mailto name did validation uuid type org dept role".split(" ")),
};

/**
 * The document in the names of the current draft: older member names are replaced (the newer one wins where both
 * stand), null in members the draft describes is left out, `group: []` and `redacted: {}` as well, numbers that were
 * sent as times or as text become what the draft wants. Bodies and unknown members are not touched, documents of
 * 0.5.0 keep their new members. The same object when there is nothing to do.
 */
export function upgrade(vcon: JsonObject): JsonObject {
  const top = topMembers(renamed(vcon, "top"));
  return listsMapped(top, (element, kind) => special(renamed(element, kind), kind));
}

/** The document with every object in its four arrays replaced; the same object when none changes. */
export function listsMapped(
  vcon: JsonObject,
  change: (element: JsonObject, kind: Kind, index: number) => JsonObject,
): JsonObject {
  let result = vcon;
  for (const kind of ["parties", "dialog", "analysis", "attachments"] as const) {
    const before = Object.hasOwn(vcon, kind) ? vcon[kind] : undefined;
    if (!Array.isArray(before)) continue;
    const elements: readonly unknown[] = before;
    const after = elements.map((element, index) => (isObject(element) ? change(element, kind, index) : element));
    if (after.some((element, index) => element !== elements[index])) result = { ...result, [kind]: after };
  }
  return result;
}

function topMembers(vcon: JsonObject): JsonObject {
  let result = vcon;
  if (Array.isArray(result.group) && result.group.length === 0) result = without(result, "group");
  if (isObject(result.redacted) && isAbsent(result.redacted)) result = without(result, "redacted");
  if (isOlderVersion(result.vcon)) result = { ...result, vcon: CURRENT_VERSION };
  for (const name of ["created_at", "updated_at"]) {
    const written = writeUnixTime(result[name]);
    if (written !== undefined) result = { ...result, [name]: written };
  }
  return result;
}

function special(element: JsonObject, kind: Kind): JsonObject {
  if (kind === "dialog") return dialogMembers(element);
  return kind === "analysis" && "transcript" in element ? transcriptAsBody(element) : element;
}

function dialogMembers(dialog: JsonObject): JsonObject {
  let result = dialog;
  const { duration, parties, session_id } = dialog;
  const seconds = typeof duration === "number" ? duration : readNumber(duration);
  if (seconds !== undefined && seconds !== duration) result = { ...result, duration: seconds };
  const indices = withIndices(parties);
  if (indices !== parties) result = { ...result, parties: indices };
  const session = typeof session_id === "string" ? sessionIdOf(session_id) : undefined;
  return session ? { ...result, session_id: session } : result;
}

/** Before 0.0.1 an analysis had its text in a member of its own. */
function transcriptAsBody(analysis: JsonObject): JsonObject {
  if (!Object.hasOwn(analysis, "transcript") || !isAbsent(analysis.body) || !isAbsent(analysis.url)) return analysis;
  const encoding = typeof analysis.transcript === "string" ? "none" : "json";
  return { ...without(analysis, "transcript"), body: analysis.transcript, encoding };
}

/** The object with newer names in the places of the older ones; the same object when it has none. */
function renamed(object: JsonObject, kind: Kind): JsonObject {
  let changed = false;
  for (const name in object) {
    if (placeOf(name, object, kind) !== name) {
      changed = true;
      break;
    }
  }
  if (!changed) return object;
  const entries = new Map<string, unknown>();
  for (const [name, value] of Object.entries(object)) {
    const place = placeOf(name, object, kind);
    if (place === undefined) continue;
    if (place === name) entries.set(name, entries.get(name) ?? value);
    else entries.set(isAbsent(entries.get(place)) ? place : name, value);
  }
  return Object.fromEntries(entries);
}

/** The name a member gets; `undefined` when it is left out, because it says nothing or is said under the newer name. */
function placeOf(name: string, object: JsonObject, kind: Kind): string | undefined {
  const value = object[name];
  const rename = RENAMED[kind].get(name);
  if (value === null && (rename || TYPED[kind].has(name))) return undefined;
  if (!rename || !isType(value, rename.type)) return name;
  if (!Object.hasOwn(object, rename.to) || isAbsent(object[rename.to])) return rename.to;
  return name === "type" ? name : undefined;
}

/** Seconds with 9 or 10 digits, milliseconds with 13: texts of other lengths are days and times without separators. */
const UNIX_TIME = /^(?:\d{9,10}|\d{13})(?:\.\d*)?$/;

/** Writes a Unix time, also one in a text, as the draft wants dates; `undefined` for everything else. */
export function writeUnixTime(value: unknown): string | undefined {
  if (typeof value === "boolean" || (typeof value === "string" && !UNIX_TIME.test(value.trim()))) return undefined;
  const time = typeof value === "number" ? value : readNumber(value);
  return time === undefined ? undefined : writeDate(unixTime(time));
}

function isType(value: unknown, type: Rename["type"]): boolean {
  if (type === "object") return isObject(value);
  return Array.isArray(value) ? type === "array" || type === "number" : typeof value === type;
}
