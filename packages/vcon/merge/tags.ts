import type { Attachment } from "../document.ts";
import { isObject, type JsonObject } from "../shape.ts";
import { isTags, tagEntries, withTagEntries } from "../tags.ts";
import { type Conflict, mergeObject, type Versions } from "./members.ts";

/** Whether the value is an attachment that holds a list of tags. */
export const isTagList = (value: unknown): value is Attachment & JsonObject =>
  isObject(value) && isTags(value) && tagEntries(value) !== undefined;

/** Two edits of one tags attachment, united as sets; written the way mine is. */
export function mergeTags({ base, mine, theirs }: Versions, pointer: string, conflict: Conflict): unknown {
  if (!isTagList(mine) || !isTagList(theirs)) return undefined;
  const [before, ours, others] = [base, mine, theirs].map((tags) => (isTagList(tags) ? (tagEntries(tags) ?? []) : []));
  const [old, own, foreign] = [before, ours, others].map((tags) => new Set(tags));
  const kept = others!.filter((tag) => own!.has(tag) || !old!.has(tag));
  const added = ours!.filter((tag) => !foreign!.has(tag) && !old!.has(tag));
  const rest = mergeObject(
    { base: withoutBody(base), mine: withoutBody(mine), theirs: withoutBody(theirs) },
    pointer,
    conflict,
  );
  return withTagEntries({ ...rest, body: mine.body ?? [], encoding: mine.encoding ?? "json" }, [
    ...new Set([...kept, ...added]),
  ]);
}

function withoutBody(value: unknown): JsonObject {
  if (!isObject(value)) return {};
  const { body: _body, encoding: _encoding, ...rest } = value;
  return rest;
}
