import { createHash } from "node:crypto";
import { VconError } from "@vcon-server/core";
import type { Document, Restored, Revision } from "@vcon-server/core/backend";
import { requireAll, TOMBSTONE_MS } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import type { Context } from "./context.ts";
import { setDue } from "./due.ts";
import { isKeyFault, isReply, isWrongType } from "./failures.ts";
import { addToIndex, removeFromIndex, termsOf } from "./index-sets.ts";
import { documentKey, documentKeys, graveKeys, isKeySafe, keysInOrder, submitterKey } from "./keys.ts";
import { integer, list, maybeBytes, maybeText, text, texts } from "./replies.ts";
import { type Command, Failed, failureOf, read, readBytes } from "./store.ts";

/** What meta says about a document. */
export interface Facts {
  readonly rev: string | undefined;
  readonly submitted: string | undefined;
}

/** Working copies in the order asked for. Throws where one of them cannot be used, naming its key. */
export const readDocuments = async (context: Context, uuids: readonly string[]): Promise<(Document | undefined)[]> =>
  requireAll(await readEach(context, uuids));

/**
 * Working copies, or why one cannot be used, in the order asked for. Facts are read before bytes: a revision may be old,
 * never too new.
 */
export async function readEach(
  { store }: Context,
  uuids: readonly string[],
): Promise<(Document | VconError | undefined)[]> {
  const safe = uuids.filter(isKeySafe);
  const askFacts = safe.map((uuid) => read("hmget", documentKeys(uuid).meta, "rev", "submitted"));
  const askBytes = safe.map((uuid) => readBytes("get", documentKey(uuid)));
  const doing = "reading vCons";
  const facts = store.cluster ? await store.tryAll(askFacts) : [];
  const replies = await store.tryAll(store.cluster ? askBytes : [...askFacts, ...askBytes]);
  const found = new Map<string, Document | VconError | undefined>();
  for (const [at, uuid] of safe.entries()) {
    const factsReply = store.cluster ? facts[at] : replies[at];
    if (factsReply instanceof Failed) {
      found.set(uuid, faultOf(factsReply, doing, askFacts[at] as Command));
      continue;
    }
    const reply = store.cluster ? replies[at] : replies[safe.length + at];
    const bytes = await bytesOf({ store }, { uuid, reply, command: askBytes[at] as Command });
    if (bytes instanceof VconError) {
      found.set(uuid, bytes);
      continue;
    }
    const [rev, submitted] = list(factsReply).map(maybeText);
    found.set(uuid, documentOf(uuid, bytes, { rev, submitted }));
  }
  return uuids.map((uuid) => found.get(uuid));
}

export async function readSizes({ store }: Context, uuids: readonly string[]): Promise<(number | undefined)[]> {
  const commands = uuids.map((uuid) => read("strlen", documentKey(uuid)));
  const replies = await store.tryAll(commands);
  return replies.map((reply, at) => {
    if (!(reply instanceof Failed)) return Number(reply) || undefined;
    // a neighbour's RedisJSON document has no length
    if (isWrongType(reply.error)) return undefined;
    throw failureOf(reply, "reading the sizes of vCons", commands[at] as Command);
  });
}

export async function readSubmitters({ store }: Context, uuids: readonly string[]): Promise<(string | undefined)[]> {
  const commands = uuids.map((uuid) => read("get", submitterKey(uuid)));
  return (await store.all("reading who submitted vCons", commands)).map(maybeText);
}

/** Bytes of a reply to GET; of a document that a neighbour stored with RedisJSON where the reply says so. */
async function bytesOf(
  { store }: Pick<Context, "store">,
  { uuid, reply, command }: { readonly uuid: string; readonly reply: unknown; readonly command: Command },
): Promise<Buffer | VconError | undefined> {
  if (!(reply instanceof Failed)) return maybeBytes(reply);
  if (!isWrongType(reply.error)) throw failureOf(reply, "reading vCons", command);
  const key = documentKey(uuid);
  const [type, json] = await store.tryAll([read("type", key), readBytes("json.get", key)]);
  if (!(json instanceof Failed)) return maybeBytes(json);
  // servers without RedisJSON do not know the command, those with it refuse the type
  if (!isReply(json.error)) throw failureOf(json, "reading a RedisJSON document", readBytes("json.get", key));
  const kind = typeof type === "string" ? type : "something else";
  return new VconError(
    "VCON_BACKEND_KEY",
    `reading the vCon ${uuid}: its key ${key} holds another type of value (${kind}), which another program wrote; ` +
      "move it out of the way and submit the vCon again",
    { cause: reply.error },
  );
}

/** A failed reply as the fault of this one document; any other failure is thrown. */
function faultOf(failed: Failed, doing: string, command: Command): VconError {
  const failure = failureOf(failed, doing, command);
  if (isKeyFault(failed.error)) return failure;
  throw failure;
}

export function documentOf(uuid: string, bytes: Buffer | undefined, { rev, submitted }: Facts): Document | undefined {
  if (bytes === undefined) return undefined;
  const revision: Revision = rev === undefined ? foreignRevision(bytes) : Number(rev);
  return { uuid: uuid as VconUuid, rev: revision, bytes, ...(submitted !== undefined && { submitted }) };
}

/** The revision of a document somebody else wrote: its content. */
export const foreignRevision = (bytes: Uint8Array): `x${string}` =>
  `x${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;

const sha1 = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("hex");

/**
 * SHA-1 of the foreign documents that still have the revision named, so that a script, which knows no SHA-256, can
 * compare in its own step; `""` where the content is another by now.
 */
export async function foreignHashes(
  context: Context,
  wanted: readonly { readonly uuid: string; readonly rev: string }[],
): Promise<string[]> {
  if (wanted.length === 0) return [];
  const documents = await readEach(
    context,
    wanted.map(({ uuid }) => uuid),
  );
  return wanted.map(({ rev }, at) => {
    const document = documents[at];
    return document && !(document instanceof VconError) && foreignRevision(document.bytes) === rev
      ? sha1(document.bytes)
      : "";
  });
}

export async function restoreDocument(context: Context, { uuid, bytes, index, ttl }: Restored): Promise<void> {
  const { createdAt, terms } = index;
  const args = [bytes, createdAt, JSON.stringify(terms), Math.max(1, Math.ceil(ttl))];
  const stored = await context.store.one("restoring a vCon", context.store.call("restore", keysInOrder(uuid), args));
  if (integer(stored) === 1) await addToIndex(context, uuid, index);
}

export async function removeDocument(
  context: Context,
  uuid: VconUuid,
  { storages, lists }: { readonly storages: readonly string[]; readonly lists: readonly string[] },
): Promise<boolean> {
  const { store } = context;
  const noted = await listsThatWait(context, uuid);
  const command = store.call("remove", [...keysInOrder(uuid), submitterKey(uuid)], [TOMBSTONE_MS, ...storages]);
  const [existed, terms, ...due] = list(await store.one("deleting a vCon", command));
  await removeFromIndex(context, uuid, termsOf(text(terms)));
  const pairs = due.map((pair) => texts(pair) as [string, string]);
  await setDue(
    context,
    pairs.map(([storage, score]) => ({ uuid, storage, mode: "set", score })),
  );
  await strike(context, uuid, new Set([...noted, ...lists]));
  return integer(existed) === 1;
}

/** Lists in which meta counts the document as waiting. */
async function listsThatWait({ store }: Context, uuid: string): Promise<string[]> {
  const fields = texts(await store.one("deleting a vCon", read("hkeys", documentKeys(uuid).meta)));
  return fields.filter((field) => field.startsWith("q:")).map((field) => field.slice(2));
}

/** Entries of a list that are looked through for a deleted vCon; a longer list drops its entry when it is taken. */
const LONGEST = 10_000;

async function strike({ store }: Context, uuid: string, lists: ReadonlySet<string>): Promise<void> {
  const commands = [...lists].map((name) => {
    const { list: entries, records } = graveKeys(name);
    return store.call("strike", [entries, records], [uuid, LONGEST]);
  });
  await store.all("taking a deleted vCon out of lists", commands);
}

/** All uuids that have a working copy. */
export async function* scanDocuments({ store }: Context): AsyncIterable<VconUuid[]> {
  for (const node of store.masters()) {
    let cursor = "0";
    do {
      const reply = await store.on(node, "scanning vCons", read("scan", cursor, "MATCH", "vcon:*", "COUNT", 1000));
      const [next, keys] = list(reply);
      cursor = text(next);
      const uuids = texts(keys).map((key) => key.slice("vcon:".length) as VconUuid);
      if (uuids.length > 0) yield uuids;
    } while (cursor !== "0");
  }
}
