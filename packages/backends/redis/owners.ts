import { VconError } from "@vcon-server/core";
import type { CheckpointWrite, Lease } from "@vcon-server/core/backend";
import { entryOf, ownerText } from "./claim.ts";
import type { Context } from "./context.ts";
import { documentKeys, isKeySafe, listKeys } from "./keys.ts";
import { integer, text } from "./replies.ts";
import { read } from "./store.ts";

export async function heartbeat({ store, leaseMs }: Context, owner: string, lists: readonly string[]): Promise<void> {
  await store.orFaults(
    "renewing leases",
    lists.map((list) => store.call("heartbeat", [listKeys(list).owners], [ownerText(owner), leaseMs])),
  );
}

export async function abandon({ store }: Context, owner: string, lists: readonly string[]): Promise<number> {
  const replies = await store.orFaults(
    "taking leases away",
    lists.map((list) => {
      const { runs, parked, suspects, owners } = listKeys(list);
      return store.call("abandon", [runs, parked, suspects, owners], [ownerText(owner)]);
    }),
  );
  return sum(replies);
}

interface Holder {
  readonly owner: string;
  readonly lists: readonly string[];
  readonly known: readonly Lease[];
}

export async function giveBack({ store }: Context, { owner, lists, known }: Holder): Promise<number> {
  const replies = await store.orFaults(
    "giving leases back",
    lists.map((name) => {
      const { runs, parked, later } = listKeys(name);
      const tokens = known.filter(({ list }) => list === name).map(({ token }) => token);
      return store.call("give-back", [runs, parked, later], [ownerText(owner), ...tokens]);
    }),
  );
  return sum(replies);
}

export async function suspectsOf({ store }: Context, lists: readonly string[]): Promise<number[]> {
  const replies = await store.orFaults(
    "counting suspects",
    lists.map((list) => read("zcard", listKeys(list).suspects)),
  );
  return replies.map(readCount);
}

export async function writeCheckpoints(
  { store }: Context,
  batch: readonly CheckpointWrite[],
): Promise<("ok" | "lost" | "gone")[]> {
  const kept = batch.filter(({ lease }) => isKeySafe(lease.uuid));
  const replies = await store.orFaults(
    "keeping checkpoints",
    kept.map(({ lease, checkpoint }) =>
      store.call(
        "checkpoint",
        [documentKeys(lease.uuid).meta],
        [entryOf(lease), lease.token, JSON.stringify(checkpoint)],
      ),
    ),
  );
  const results = new Map(kept.map((write, at) => [write, stateOf(replies[at])]));
  // an entry that is no possible uuid has no document to keep a checkpoint beside; its run starts again
  return batch.map((write) => results.get(write) ?? "ok");
}

/** A checkpoint that a foreign key stands in the way of is not kept: the end of the run says what is wrong. */
const stateOf = (reply: unknown) => (reply instanceof VconError ? "ok" : (text(reply) as "ok" | "lost" | "gone"));

/** Reads a count of leases; a list whose key holds another type has none, and the claim of that list reports it. */
const readCount = (reply: unknown): number => (reply instanceof VconError ? 0 : integer(reply));

const sum = (replies: readonly unknown[]): number =>
  replies.reduce<number>((total, reply) => total + readCount(reply), 0);
