/*
 * Keys of this backend. What other programs share (`vcon:<uuid>`, the sorted set, the sets of terms, the lists) is
 * described in ARCHITECTURE.md; everything else begins with `vcs:`.
 *
 * In the slot of a list L
 *   vcs:{L}:runs      HASH  entry -> "token owner attempt deaths lone uuid" of leased entries
 *   vcs:{L}:parked    HASH  entry -> "attempt deaths uuid" of delayed and suspect entries
 *   vcs:{L}:owners    ZSET  owner -> end of its lease: one heartbeat renews everything an owner holds
 *   vcs:{L}:later     ZSET  entry -> when it is due
 *   vcs:{L}:suspects  ZSET  entry -> since when
 *   vcs:{L}:token     counter; it also marks L as a list that workers consume
 *   An entry is named by its first token and keeps that name until it is over.
 * In the slot of a dead-letter list D
 *   vcs:{D}:records   HASH  "r:<id>" -> record, "u:<uuid>" -> ids of its records, oldest first
 *   vcs:{D}:mover     STRING  the one caller that moves entries back, as long as it renews this
 *   vcs:{D}:moving    LIST  "<id or -> <uuid>" of entries on their way back
 * In the slot of a document U
 *   vcs:{vcon:U}:meta        HASH  rev, submitted, sent (lists that got this content), terms, created; floor and gone
 *                            (tombstone); ttl and until (wished expiry); open (unfinished deliveries); q:<L> (entries
 *                            waiting in L); dead:<chain> (checkpoint of a dead letter); t:<L>:<entry> (token, "done
 *                            <token>" once committed), o:<L>:<entry> (outbox), c:<L>:<entry> (checkpoint)
 *   vcs:{vcon:U}:deliveries  HASH  see part-deliveries.lua
 *   vcs:{vcon:U}:submitter   STRING  who submitted it; outlives the working copy
 *   vcs:{vcon:U}:new:<L>:<entry>:<token>  a changed document on its way in
 * Over all documents, in 16 shards by hash
 *   vcs:due:{n}       ZSET  "<uuid> <storage>" -> when the delivery is due
 *   vcs:lists         SET   "taken <list>", "dlq <list>": so that lists are found when no chain names them any more
 *   vcs:intents:{n}   ZSET  submissions under way (Cluster)
 */
import { createHash } from "node:crypto";

/** Keys of one list, all in the slot of the list itself. */
export interface ListKeys {
  readonly list: string;
  readonly runs: string;
  readonly parked: string;
  readonly owners: string;
  readonly later: string;
  readonly suspects: string;
  readonly token: string;
}

/** Keys of one document, all in the slot of `vcon:<uuid>`. */
export interface DocumentKeys {
  readonly document: string;
  readonly meta: string;
  readonly deliveries: string;
}

/** "taken <list>" and "dlq <list>": lists that workers take from and lists that hold dead letters. */
export const LISTS_KEY = "vcs:lists";

export const SHARDS = 16;

/** What keys may be made of: anything else could carry braces and land in two slots. */
export const isKeySafe = (uuid: string): boolean => /^[A-Za-z0-9:_.-]{1,128}$/.test(uuid);

export const documentKey = (uuid: string): string => `vcon:${uuid}`;

export function listKeys(list: string): ListKeys {
  const of = (what: string) => `vcs:{${list}}:${what}`;
  return {
    list,
    runs: of("runs"),
    parked: of("parked"),
    owners: of("owners"),
    later: of("later"),
    suspects: of("suspects"),
    token: of("token"),
  };
}

export function documentKeys(uuid: string): DocumentKeys {
  const prefix = `vcs:{vcon:${uuid}}:`;
  return { document: `vcon:${uuid}`, meta: `${prefix}meta`, deliveries: `${prefix}deliveries` };
}

/** The same in the order in which scripts take them. */
export function keysInOrder(uuid: string): [document: string, meta: string, deliveries: string] {
  const { document, meta, deliveries } = documentKeys(uuid);
  return [document, meta, deliveries];
}

/** Key of the vCon's submitter; a key of its own, since it outlives everything else that is known of one. */
export const submitterKey = (uuid: string): string => `vcs:{vcon:${uuid}}:submitter`;

/** Where a changed document waits for its commit; the token keeps a late worker's bytes apart from the next one's. */
export const stagingKey = (uuid: string, entry: string, token: string | number): string =>
  `vcs:{vcon:${uuid}}:new:${entry}:${token}`;

/** Dead-letter list, its records and the entries on their way back. */
export const graveKeys = (dlq: string) => ({
  list: dlq,
  records: `vcs:{${dlq}}:records`,
  moving: `vcs:{${dlq}}:moving`,
  mover: `vcs:{${dlq}}:mover`,
});

/** Shard of a uuid by hash: uuids of one deployment share their first and last bits. */
const shardOf = (uuid: string): number => (createHash("sha1").update(uuid).digest()[0] as number) % SHARDS;

export const dueKey = (uuid: string): string => dueShard(shardOf(uuid));
export const dueShard = (shard: number): string => `vcs:due:{${shard}}`;
export const intentKey = (uuid: string): string => intentShard(shardOf(uuid));
export const intentShard = (shard: number): string => `vcs:intents:{${shard}}`;

/** Member of the due set: storage names may hold anything but come last. */
export const dueMember = (uuid: string, storage: string): string => `${uuid} ${storage}`;

export function readDueMember(member: string): { readonly uuid: string; readonly storage: string } {
  const gap = member.indexOf(" ");
  return gap < 0 ? { uuid: member, storage: "" } : { uuid: member.slice(0, gap), storage: member.slice(gap + 1) };
}
