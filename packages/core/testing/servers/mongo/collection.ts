import { type Document, deserialize, ObjectId, serialize } from "bson";
import { Query } from "mingo";
import { updateOne } from "mingo/updater";
import { allElements, DOCUMENT, documentOf, type Element, elementsOf } from "./raw-bson.ts";
import { ServerError } from "./server-error.ts";

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 180;

export interface Index {
  readonly name: string;
  readonly key: Readonly<Record<string, unknown>>;
  readonly unique?: boolean;
}

/** What one statement of an `update` did. */
export interface Updated {
  readonly matched: number;
  readonly modified: number;
  /** `_id` of the document that was made. */
  readonly upserted?: unknown;
}

/** A collection in memory: documents are kept as the bytes that came, by their `_id`. */
export interface Collection {
  readonly namespace: string;
  /** Whether documents may hold names that begin with `$` below their top level, as from version 5.0 on. */
  readonly dollarsInside: boolean;
  readonly indexes: Index[];
  readonly documents: Map<string, Uint8Array>;
}

export const createCollection = (namespace: string, dollarsInside: boolean): Collection => ({
  namespace,
  dollarsInside,
  indexes: [{ name: "_id_", key: { _id: 1 }, unique: true }],
  documents: new Map(),
});

export function find({ documents }: Collection, filter: Document): readonly Uint8Array[] {
  if (Object.keys(filter).length === 1 && typeof filter["_id"] === "string") {
    const found = documents.get(keyOf(serialize(filter)));
    return found ? [found] : [];
  }
  const query = new Query(filter);
  return [...documents.values()].filter((bytes) => query.test(deserialize(bytes)));
}

export function insert(collection: Collection, document: Uint8Array): void {
  const sizes = `size in bytes: ${document.length}, max size:`;
  checkSize(document, 2, `object to insert too large. ${sizes}`);
  put(collection, withId(document), undefined);
}

/** Carries out one statement of an `update`: a replacement or operators, on one or all that match, or on a new one. */
export function update(collection: Collection, statement: Uint8Array): Updated {
  const { q, upsert = false, multi = false } = deserialize(statement);
  const change = elementsOf(statement).get("u");
  if (change?.type !== DOCUMENT) throw new ServerError(9, "an update by a pipeline is not played by this server");
  const [first = ""] = elementsOf(change.value).keys();
  const apply = first.startsWith("$") ? modified : replacement;
  const targets = find(collection, q).slice(0, multi ? undefined : 1);
  const results = targets.map((old) => {
    const document = apply(old, change.value);
    checkSize(document, 17419, "Resulting document after update is larger than");
    if (keyOf(document) !== keyOf(old)) {
      throw new ServerError(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
    }
    put(collection, document, keyOf(old));
    return Buffer.from(document).equals(old);
  });
  if (targets.length > 0 || !upsert) {
    return { matched: targets.length, modified: results.filter((same) => !same).length };
  }
  const document = apply(withId(serialize(equalities(q))), change.value);
  checkSize(document, 17420, "Document to upsert is larger than");
  put(collection, document, undefined);
  return { matched: 0, modified: 0, upserted: deserialize(document)["_id"] };
}

/** Returns how many were removed; `limit` 0 removes all that match. */
export function remove(collection: Collection, filter: Document, limit: number): number {
  const targets = find(collection, filter).slice(0, limit === 0 ? undefined : limit);
  for (const document of targets) collection.documents.delete(keyOf(document));
  return targets.length;
}

function put(collection: Collection, document: Uint8Array, replaced: string | undefined): void {
  for (const { name, level } of allElements(document)) {
    if (level > MAX_DEPTH) throw new ServerError(15, `document exceeds ${MAX_DEPTH} levels of nesting`);
    if (!collection.dollarsInside && /^\$(?!(?:ref|id|db)$)/.test(name)) {
      throw new ServerError(52, `The dollar ($) prefixed field '${name}' is not valid for storage.`);
    }
  }
  for (const index of collection.indexes) if (index.unique) checkUnique(collection, index, { document, replaced });
  collection.documents.set(keyOf(document), document);
}

interface Incoming {
  readonly document: Uint8Array;
  /** Key of the document it takes the place of. */
  readonly replaced: string | undefined;
}

function checkUnique(
  { namespace, documents }: Collection,
  { name, key }: Index,
  { document, replaced }: Incoming,
): void {
  const mine = deserialize(document);
  // the map says which `_id` there is
  const others = name === "_id_" ? [documents.get(keyOf(document))] : documents.values();
  for (const bytes of others) {
    if (!bytes || keyOf(bytes) === replaced) continue;
    const theirs = deserialize(bytes);
    const fields = Object.keys(key);
    if (!fields.every((field) => shareValue(mine, theirs, field))) continue;
    const keyValue = Object.fromEntries(fields.map((field) => [field, valuesAt(mine, field.split("."))[0] ?? null]));
    const shown = fields.map((field) => `${field}: ${JSON.stringify(keyValue[field])}`).join(", ");
    const message = `E11000 duplicate key error collection: ${namespace} index: ${name} dup key: { ${shown} }`;
    throw new ServerError(11000, message, { keyPattern: key, keyValue });
  }
}

/** The new document with the `_id` of the old one first; names of operators have no place in it. */
function replacement(old: Uint8Array, by: Uint8Array): Uint8Array {
  const elements = elementsOf(by);
  for (const name of elements.keys()) {
    if (!name.startsWith("$")) continue;
    const where = "is not allowed in the context of an update's replacement document";
    throw new ServerError(52, `The dollar ($) prefixed field '${name}' in '${name}' ${where}.`);
  }
  const id = elements.get("_id") ?? idOf(old);
  elements.delete("_id");
  return documentOf([["_id", id], ...elements]);
}

/** The old document changed by operators such as `$set`; types of numbers are kept where they are not touched. */
function modified(old: Uint8Array, by: Uint8Array): Uint8Array {
  const documents = [deserialize(old, { promoteValues: false })];
  updateOne(documents, {}, deserialize(by, { promoteValues: false }));
  return serialize(documents[0] ?? {});
}

/** What a filter says a new document has: `{ a: 1 }`, not `{ a: { $gt: 1 } }`. */
const equalities = (filter: Document): Document =>
  Object.fromEntries(
    Object.entries(filter).filter(
      ([name, value]) => !name.startsWith("$") && !Object.keys(value ?? {})[0]?.startsWith("$"),
    ),
  );

const idOf = (document: Uint8Array): Element => {
  const id = elementsOf(document).get("_id");
  if (!id) throw new ServerError(2, "a document without _id");
  return id;
};

const keyOf = (document: Uint8Array): string => {
  const { type, value } = idOf(document);
  return `${type}:${Buffer.from(value).toString("latin1")}`;
};

function withId(document: Uint8Array): Uint8Array {
  const elements = elementsOf(document);
  const made = () => elementsOf(serialize({ _id: new ObjectId() })).get("_id") as Element;
  const id = elements.get("_id") ?? made();
  elements.delete("_id");
  return documentOf([["_id", id], ...elements]);
}

function checkSize(document: Uint8Array, code: number, message: string): void {
  if (document.length > MAX_DOCUMENT_BYTES) throw new ServerError(code, `${message} ${MAX_DOCUMENT_BYTES}`);
}

/** The values an index has for a path; one for each element where there are arrays on the way. */
function valuesAt(value: unknown, [name, ...rest]: readonly string[]): readonly unknown[] {
  if (Array.isArray(value))
    return value.flatMap((element) => valuesAt(element, name === undefined ? [] : [name, ...rest]));
  if (name === undefined) return [value];
  return value instanceof Object ? valuesAt(Reflect.get(value, name), rest) : [];
}

function shareValue(one: Document, other: Document, field: string): boolean {
  const keysOf = (document: Document) => {
    const values = valuesAt(document, field.split("."));
    return (values.length > 0 ? values : [null]).map((value) => JSON.stringify(value ?? null));
  };
  const theirs = new Set(keysOf(other));
  return keysOf(one).some((key) => theirs.has(key));
}
