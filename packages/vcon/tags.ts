import { decodeBody, type JsonMode, jsonBody } from "./body.ts";
import type { Attachment, Json, Vcon } from "./document.ts";
import { jsonText } from "./json.ts";
import { isObject, own } from "./shape.ts";

export interface Tag {
  /** As a rule everything before the first colon. */
  readonly name: string;
  /** Everything after it; empty for a tag without a colon. */
  readonly value: string;
}

export interface TagOptions {
  /** How the body of a new tags attachment is written; an existing one keeps its way. */
  readonly mode?: JsonMode;
  /** Members of a new tags attachment besides purpose and body, such as start, party and dialog. */
  readonly members?: Partial<Attachment>;
}

/** Values of each tag by name, in the order they stand in the document, each once. */
export function tagsOf(vcon: Vcon): ReadonlyMap<string, readonly string[]> {
  const tags = new Map<string, Set<string>>();
  for (const { name, value } of tagAttachments(vcon).flatMap((attachment) => tagsIn(attachment) ?? [])) {
    const values = tags.get(name);
    if (values) values.add(value);
    else tags.set(name, new Set([value]));
  }
  return new Map([...tags].map(([name, values]) => [name, [...values]]));
}

/** The vCon with these tags as well; the same object when it has them all. */
export function withTags(vcon: Vcon, tags: readonly Tag[], { mode = "text", members = {} }: TagOptions = {}): Vcon {
  const present = new Set([...tagsOf(vcon)].flatMap(([name, values]) => values.map((value) => pair({ name, value }))));
  const wanted = new Map(tags.map((tag) => [spelled(tag), tag]));
  // an entry says less than a tag: what is read back from it may be cut at another colon
  const isPresent = (tag: Tag): boolean => present.has(pair(tag)) || present.has(pair(parseTag(spelled(tag))));
  const missing = [...wanted.values()].filter((tag) => !isPresent(tag));
  if (missing.length === 0) return vcon;
  const attachments = vcon.attachments ?? [];
  const at = attachments.findIndex((attachment) => isTags(attachment) && tagsIn(attachment) !== undefined);
  const existing = attachments[at];
  const changed = existing
    ? attachments.with(at, extended(existing, missing))
    : [...attachments, { purpose: "tags", ...jsonBody(missing.map(spelled), mode), ...members }];
  return { ...vcon, attachments: changed };
}

/** Whether an attachment holds tags, by its purpose or by the older name of that member. */
export const isTags = (attachment: Attachment): boolean =>
  isObject(attachment) && (attachment.purpose ?? own(attachment, "type")) === "tags";

/**
 * Reads the entry of a tags attachment: cut at the first colon, unless it says the same on both sides of a later one. A
 * label `a:b` is written as `a:b:a:b`, as every label is written twice, and must be found under its own name.
 */
export function parseTag(entry: string): Tag {
  const half = entry.slice(0, (entry.length - 1) / 2);
  if (half !== "" && entry === `${half}:${half}`) return { name: half, value: half };
  const colon = entry.indexOf(":");
  return colon < 0 ? { name: entry, value: "" } : { name: entry.slice(0, colon), value: entry.slice(colon + 1) };
}

/** The entries of a tags attachment whose body is a list, as they are written; `undefined` for other bodies. */
export function tagEntries(attachment: Attachment): string[] | undefined {
  const body = tagBody(attachment);
  return Array.isArray(body) ? body.filter((entry) => typeof entry === "string") : undefined;
}

/** The attachment with other entries in its list, its body written the way it was. */
export const withTagEntries = (attachment: Attachment, entries: readonly string[]): Attachment => ({
  ...attachment,
  body: typeof attachment.body === "string" ? JSON.stringify(entries) : entries,
});

/** Entries of a list of tags, or name and value of each member of an object; `undefined` when it is neither. */
export function tagsIn(attachment: Attachment): Tag[] | undefined {
  const body = tagBody(attachment);
  if (Array.isArray(body))
    return body.flatMap((entry: unknown) => (typeof entry === "string" ? [parseTag(entry)] : []));
  if (!isObject(body)) return undefined;
  return Object.entries(body).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).flatMap((value: unknown) =>
      typeof value === "object" && value !== null ? [] : [{ name, value: value === null ? "" : String(value) }],
    ),
  );
}

const tagAttachments = (vcon: Vcon): readonly Attachment[] => (vcon.attachments ?? []).filter(isTags);

/** Tells tags apart that are spelled alike, such as `a:b` with the value `c` and `a` with `b:c`. */
const pair = ({ name, value }: Tag): string => JSON.stringify([name, value]);

const spelled = ({ name, value }: Tag): string => `${name}:${value}`;

/** What a tags attachment holds. Text under `none` is read too: producers put JSON there. */
function tagBody(attachment: Attachment): Json | undefined {
  const decoded = decodeBody(attachment);
  if (decoded?.kind === "text") return jsonText(decoded.text);
  return decoded?.kind === "json" ? decoded.value : undefined;
}

/** The attachment with more tags, its body written the way it was. */
function extended(attachment: Attachment, tags: readonly Tag[]): Attachment {
  const body = tagBody(attachment);
  const grown: Json = Array.isArray(body) ? [...body, ...tags.map(spelled)] : withMembers(body, tags);
  return { ...attachment, body: typeof attachment.body === "string" ? JSON.stringify(grown) : grown };
}

/** An object of tags with more of them; a name with several values gets a list. */
function withMembers(body: Json | undefined, tags: readonly Tag[]): Json {
  const members = new Map<string, Json>(Object.entries(isObject(body) ? jsonMembers(body) : {}));
  for (const [name, values] of Map.groupBy(tags, (tag) => tag.name)) {
    const before = members.get(name);
    const all = [
      ...(before === undefined ? [] : Array.isArray(before) ? before : [before]),
      ...values.map(({ value }) => value),
    ];
    members.set(name, all.length === 1 && !Array.isArray(before) ? all[0]! : all);
  }
  return Object.fromEntries(members);
}

const jsonMembers = (body: Json): { readonly [name: string]: Json } =>
  typeof body === "object" && body !== null && !Array.isArray(body) ? Object.fromEntries(Object.entries(body)) : {};
