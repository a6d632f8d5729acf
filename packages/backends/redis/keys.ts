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

/** Where a changed document waits for its commit; the token keeps a late worker's bytes apart from the next one's. */
export const stagingKey = (uuid: string, entry: string, token: string | number): string =>
  `vcs:{vcon:${uuid}}:new:${entry}:${token}`;

/** Dead-letter list, its records and the entries on their way back. */
export const graveKeys = (dlq: string) => ({
  list: dlq,
  records: `vcs:{${dlq}}:records`,
  moving: `vcs:{${dlq}}:moving`,
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
