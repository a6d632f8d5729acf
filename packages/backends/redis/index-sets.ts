import { VconError } from "@vcon-server/core";
import type { Index, IndexTerm, ListQuery } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import { type Context, pieces } from "./context.ts";
import { isWrongType } from "./failures.ts";
import { documentKey, documentKeys } from "./keys.ts";
import { integer, list, maybeText, parseOwn, texts } from "./replies.ts";
import { type Command, Failed, failureOf, read, write } from "./store.ts";

const DOING = "writing the index";

/** Terms as meta keeps them; none if they cannot be read. */
export function termsOf(json: string | undefined): IndexTerm[] {
  const terms = parseOwn<IndexTerm[]>(json);
  return Array.isArray(terms) ? terms : [];
}

/** Member of the sorted set of all vCons, as the Python server writes and reads it; a bare uuid is read as well. */
const memberOf = (uuid: string): string => `vcon:${uuid}`;

const bare = (member: string): string => (member.startsWith("vcon:") ? member.slice("vcon:".length) : member);

function adding({ store, sortedSet, indexExpiry }: Context, uuid: string, { createdAt, terms }: Index): Command[] {
  return [
    write("zrem", sortedSet, uuid),
    store.call("drain", [sortedSet], ["ZADD", createdAt, memberOf(uuid)]),
    ...terms.map((term) =>
      indexExpiry === undefined
        ? store.call("drain", [term], ["SADD", uuid])
        : store.call("index-term", [term], [uuid, indexExpiry]),
    ),
  ];
}

const leaving = (uuid: string, terms: readonly IndexTerm[]): Command[] =>
  terms.map((term) => write("srem", term, uuid, `vcon:${uuid}`));

/** Carries index commands out. A set that somebody keeps under another type is left alone. */
async function apply({ store }: Context, commands: readonly Command[]): Promise<void> {
  const replies = await store.tryAll(commands);
  for (const [at, reply] of replies.entries()) {
    if (reply instanceof Failed && !isWrongType(reply.error)) throw failureOf(reply, DOING, commands[at] as Command);
  }
}

export const addToIndex = (context: Context, uuid: string, index: Index): Promise<void> =>
  apply(context, adding(context, uuid, index));

export function removeFromIndex(context: Context, uuid: string, terms: readonly IndexTerm[]): Promise<void> {
  return apply(context, [write("zrem", context.sortedSet, uuid, `vcon:${uuid}`), ...leaving(uuid, terms)]);
}

/** A document whose index may have changed, and under which terms it was found before. */
export interface IndexMove {
  readonly uuid: string;
  readonly former: readonly IndexTerm[];
}

/**
 * Brings the index in line with what meta says now. Two writers of one document may pass each other here, so meta is
 * read again afterwards, and whoever finds it changed goes round once more.
 */
export async function moveInIndex(context: Context, moves: readonly IndexMove[]): Promise<void> {
  let open = moves;
  let known = await indexesOf(context, open);
  for (let round = 0; round < 5 && open.length > 0; round++) {
    await apply(
      context,
      open.flatMap(({ uuid, former }, at) => moving(context, { uuid, former, to: known[at] })),
    );
    const now = await indexesOf(context, open);
    const changed = open.map((_, at) => at).filter((at) => JSON.stringify(now[at]) !== JSON.stringify(known[at]));
    open = changed.map((at) => ({ uuid: (open[at] as IndexMove).uuid, former: known[at]?.terms ?? [] }));
    known = changed.map((at) => now[at]);
  }
}

function moving(context: Context, { uuid, former, to }: IndexMove & { readonly to: Index | undefined }): Command[] {
  if (!to) return [write("zrem", context.sortedSet, uuid, `vcon:${uuid}`), ...leaving(uuid, former)];
  const kept = new Set(to.terms);
  const gone = former.filter((term) => !kept.has(term));
  return [...leaving(uuid, gone), ...adding(context, uuid, to)];
}

/** What meta says; `undefined` for deleted and unknown documents. */
async function indexesOf({ store }: Context, of: readonly { readonly uuid: string }[]): Promise<(Index | undefined)[]> {
  const replies = await store.orFaults(
    DOING,
    of.map(({ uuid }) => read("hmget", documentKeys(uuid).meta, "created", "terms")),
  );
  return replies.map((reply) => {
    if (reply instanceof VconError) return undefined;
    const [created, terms] = list(reply).map(maybeText);
    return created === undefined || !Number.isFinite(Number(created))
      ? undefined
      : { createdAt: Number(created), terms: termsOf(terms) };
  });
}

export async function reindex(
  context: Context,
  entries: readonly { readonly uuid: VconUuid; readonly index: Index }[],
): Promise<void> {
  const { store } = context;
  const replies = await store.all(
    DOING,
    entries.map(({ uuid, index }) => {
      const { document, meta } = documentKeys(uuid);
      return store.call("index", [document, meta], [index.createdAt, JSON.stringify(index.terms)]);
    }),
  );
  const moves = entries.flatMap(({ uuid }, at) => {
    const former = maybeText(replies[at]);
    return former === undefined ? [] : [{ uuid, former: termsOf(former) }];
  });
  await moveInIndex(context, moves);
}

/** Uuids by creation time, newest first; expired ones are skipped and leave the index on the way. */
export async function listUuids(context: Context, { since, until, offset, limit }: ListQuery): Promise<VconUuid[]> {
  const found = new Set<string>();
  let at = offset;
  while (found.size < limit) {
    const want = Math.min(1000, limit - found.size);
    const range = [until ?? "+inf", since ?? "-inf", "LIMIT", at, want];
    const members = texts(
      await context.store.one("listing vCons", read("zrevrangebyscore", context.sortedSet, ...range)),
    );
    const { live, stale } = await sift(context, members.map(bare));
    for (const uuid of live) found.add(uuid);
    await prune(context, stale);
    if (members.length < want) break;
    at += members.length - stale.length;
  }
  return [...found] as VconUuid[];
}

/** Uuids that carry every term: the smallest set is read, the others are asked. */
export async function searchUuids(context: Context, terms: readonly IndexTerm[]): Promise<VconUuid[]> {
  const { store } = context;
  const sizes = await store.all(
    "searching",
    terms.map((term) => read("scard", term)),
  );
  const bySize = terms.map((term, at) => ({ term, size: integer(sizes[at]) })).sort((a, b) => a.size - b.size);
  const [smallest, ...others] = bySize;
  if (!smallest || smallest.size === 0) return [];
  let members = texts(await store.one("searching", read("smembers", smallest.term)));
  for (const { term } of others) {
    const flags: unknown[] = [];
    for (const piece of pieces(members, 1000)) {
      flags.push(...list(await store.one("searching", read("smismember", term, ...piece))));
    }
    members = members.filter((_, at) => integer(flags[at]) === 1);
  }
  const { live, stale } = await sift(context, [...new Set(members.map(bare))]);
  await prune(context, stale, terms);
  return live as VconUuid[];
}

async function sift(context: Context, uuids: readonly string[]) {
  const there = await existing(context, uuids);
  return { live: uuids.filter((_, at) => there[at]), stale: uuids.filter((_, at) => !there[at]) };
}

/**
 * Takes documents that are gone out of the index. One that comes back between the look and the removal is put in
 * again: a submission writes the document first and the index after it.
 */
export async function prune(
  context: Context,
  uuids: readonly string[],
  also: readonly IndexTerm[] = [],
): Promise<void> {
  if (uuids.length === 0) return;
  const indexes = await indexesOf(
    context,
    uuids.map((uuid) => ({ uuid })),
  );
  await apply(
    context,
    uuids.flatMap((uuid, at) => [
      write("zrem", context.sortedSet, uuid, `vcon:${uuid}`),
      ...leaving(uuid, [...also, ...(indexes[at]?.terms ?? [])]),
    ]),
  );
  const { live } = await sift(context, uuids);
  await moveInIndex(
    context,
    live.map((uuid) => ({ uuid, former: [] })),
  );
}

/** Which of these have a working copy. */
async function existing({ store }: Context, uuids: readonly string[]): Promise<boolean[]> {
  const found: boolean[] = [];
  for (const piece of pieces(uuids, 512)) {
    const replies = await store.all(
      "looking for vCons",
      piece.map((uuid) => read("exists", documentKey(uuid))),
    );
    found.push(...replies.map((reply) => integer(reply) === 1));
  }
  return found;
}
