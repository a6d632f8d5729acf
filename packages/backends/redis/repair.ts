import { VconError } from "@vcon-server/core";
import type { Context } from "./context.ts";
import { serverTime } from "./deliveries.ts";
import { prune } from "./index-sets.ts";
import { documentKey, documentKeys, intentShard, SHARDS } from "./keys.ts";
import { integer, list, maybeText, parseOwn, texts } from "./replies.ts";
import { read, write } from "./store.ts";
import { finishIntent, type Intent } from "./submit.ts";

/** Milliseconds after which a submission that has not removed its intent is taken for dead. */
const INTENT_PATIENCE = 15_000;
/** Members of the sorted set looked at per call. */
const SLICE = 256;

/** Tidies up a little with each call; the position in the sorted set is kept between calls. */
export function createRepair(context: Context): () => Promise<void> {
  let at = 0;
  return async () => {
    if (context.store.cluster) await finishIntents(context);
    at = await pruneSlice(context, at);
  };
}

/** Submissions that stopped half-way: finished where their document is there, dropped otherwise. */
async function finishIntents(context: Context): Promise<void> {
  const { store } = context;
  const before = (await serverTime(context)) - INTENT_PATIENCE;
  for (let shard = 0; shard < SHARDS; shard++) {
    const key = intentShard(shard);
    const [found] = await store.orFaults("looking for intents", [
      read("zrangebyscore", key, "-inf", before, "LIMIT", 0, 100),
    ]);
    for (const member of found instanceof VconError ? [] : texts(found)) {
      // written by `submit` of this server
      const intent = parseOwn<Intent>(member);
      const over = intent === undefined || (await finishOne(context, intent));
      const again = write("zadd", key, before + INTENT_PATIENCE, member);
      await store.one("removing an intent", over ? write("zrem", key, member) : again);
    }
  }
}

/** False when a key of another type stands in the way, which keeps no other submission waiting. */
async function finishOne(context: Context, intent: Intent): Promise<boolean> {
  try {
    if (await isStored(context, intent)) await finishIntent(context, intent);
    return true;
  } catch (error) {
    if (!(error instanceof VconError) || error.code !== "VCON_BACKEND_KEY") throw error;
    context.log.error("a submission that stopped half-way cannot be finished", {
      uuid: intent.uuid,
      error: error.message,
    });
    return false;
  }
}

async function isStored({ store }: Context, { uuid, submitted }: Intent): Promise<boolean> {
  const [facts, exists] = await store.all("looking for vCons", [
    read("hmget", documentKeys(uuid).meta, "submitted", "gone"),
    read("exists", documentKey(uuid)),
  ]);
  const [found, gone] = list(facts).map(maybeText);
  return found === submitted && gone === undefined && integer(exists) === 1;
}

/** Expired documents leave the index, a slice of the sorted set at a time. Returns where the next slice begins. */
async function pruneSlice(context: Context, at: number): Promise<number> {
  const { store, sortedSet } = context;
  const members = texts(await store.one("looking for expired vCons", read("zrange", sortedSet, at, at + SLICE - 1)));
  const uuids = members.map((member) => (member.startsWith("vcon:") ? member.slice("vcon:".length) : member));
  const there = await store.all(
    "looking for vCons",
    uuids.map((uuid) => read("exists", documentKey(uuid))),
  );
  const stale = uuids.filter((_, index) => integer(there[index]) === 0);
  await prune(context, stale);
  return members.length < SLICE ? 0 : at + members.length - stale.length;
}
