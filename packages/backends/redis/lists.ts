import { VconError } from "@vcon-server/core";
import type { Context } from "./context.ts";
import { pieces } from "./context.ts";
import { isWrongType } from "./failures.ts";
import { isKeySafe, keysInOrder, listKeys } from "./keys.ts";
import { integer, texts } from "./replies.ts";
import { type Command, Failed, failureOf, read, write } from "./store.ts";

/** Lists that workers of ours take from: what waits in them must not expire. */
export interface Consumers {
  /** Which of these lists a worker has ever claimed from. */
  among(lists: Iterable<string>): Promise<ReadonlySet<string>>;
  note(list: string): void;
}

/** Positive answers are kept for good, since a list stays consumed; others are asked for again. */
export function createConsumers({ store }: Pick<Context, "store">): Consumers {
  const known = new Set<string>();
  return {
    note: (list) => known.add(list),
    async among(lists) {
      const all = [...new Set(lists)];
      const unknown = all.filter((list) => !known.has(list));
      const replies = await store.all(
        "looking at lists",
        unknown.map((list) => read("exists", listKeys(list).token)),
      );
      for (const [at, list] of unknown.entries()) if (integer(replies[at]) === 1) known.add(list);
      return new Set(all.filter((list) => known.has(list)));
    },
  };
}

/** Most members of one RPUSH: a script cannot unpack more. */
const PIECE = 4_000;

export async function pushAll(
  context: Context,
  consumers: Consumers,
  { list, uuids }: { readonly list: string; readonly uuids: readonly string[] },
): Promise<void> {
  const { store } = context;
  if (uuids.length === 0) return;
  if ((await consumers.among([list])).has(list)) await refer(context, list, uuids);
  const commands = pieces(uuids, PIECE).map((piece) => write("rpush", list, ...piece));
  await store.all("appending to a list", commands);
}

/** What is about to wait in a list of ours must stay; noted before it can be claimed. */
async function refer({ store }: Context, list: string, uuids: readonly string[]): Promise<void> {
  const groups = store.cluster ? pieces(uuids.filter(isKeySafe), 1) : pieces(uuids.filter(isKeySafe), 256);
  const commands = groups.map((group) => {
    return store.call("refer", group.flatMap(keysInOrder), [list]);
  });
  // what holds another type of value is found when the entry is claimed; the others are not to wait for it
  await store.orFaults("appending to a list", commands);
}

/** Takes entries; those of deleted vCons are dropped and made up for by later ones. */
export async function popAll(
  context: Context,
  { list, count, only }: { readonly list: string; readonly count: number; readonly only: "uuids" | undefined },
): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const wanted = count - taken.length;
    const entries = await takeEntries(context, { list, count: wanted, only });
    taken.push(...(await withoutDeleted(context, list, entries)));
    if (entries.length < wanted) break;
  }
  return taken;
}

async function takeEntries(
  { store }: Context,
  { list, count, only }: { readonly list: string; readonly count: number; readonly only: "uuids" | undefined },
): Promise<string[]> {
  const command = only === undefined ? write("lpop", list, count) : store.call("pop-uuids", [list], [count]);
  const reply = await store.one("taking from a list", command);
  if (reply !== 0) return reply === null ? [] : texts(reply);
  throw new VconError(
    "VCON_CONFLICT",
    `taking from the list ${list}: it holds entries that are no uuids of vCons and no chain knows it, so that it may belong to another program; ` +
      "nothing was taken. Name it as an egress list of a chain, or in VCON_ALLOWED_LISTS",
  );
}

/** Notes that the entries no longer wait in the list. */
async function withoutDeleted({ store }: Context, list: string, entries: readonly string[]): Promise<string[]> {
  const safe = entries.filter(isKeySafe);
  const groups = pieces(safe, store.cluster ? 1 : 256);
  const commands = groups.map((group) => store.call("unrefer", group.flatMap(keysInOrder), [list]));
  // the entries are taken: an outage from here on may only keep a document longer, never lose the answer
  const replies = await store.tryAll(commands);
  const failed = replies.findIndex((reply) => reply instanceof Failed);
  if (failed >= 0) {
    const error = failureOf(replies[failed] as Failed, "taking from a list", commands[failed] as Command);
    store.log.warn("documents stay longer than asked", { list, error: error.message });
  }
  const deleted = new Set(
    groups.flatMap((group, at) => {
      const flags = replies[at];
      return Array.isArray(flags) ? group.filter((_, index) => flags[index] === 1) : [];
    }),
  );
  return deleted.size === 0 ? [...entries] : entries.filter((entry) => !deleted.has(entry));
}

export async function depthsOf({ store }: Context, lists: readonly string[]): Promise<number[]> {
  const commands = lists.map((list) => read("llen", list));
  const replies = await store.tryAll(commands);
  return replies.map((reply, at) => {
    if (!(reply instanceof Failed)) return integer(reply);
    if (isWrongType(reply.error)) return 0; // something else under that name is no list, so nothing waits in it
    throw failureOf(reply, "counting entries", commands[at] as Command);
  });
}

export async function peekAt(
  { store }: Context,
  list: string,
  { offset, count }: { readonly offset: number; readonly count: number },
): Promise<string[]> {
  if (count < 1) return [];
  const command = read("lrange", list, offset, offset + count - 1);
  const [reply] = await store.tryAll([command]);
  if (!(reply instanceof Failed)) return texts(reply);
  if (isWrongType(reply.error)) return [];
  throw failureOf(reply, "looking into a list", command);
}
