import { randomUUID } from "node:crypto";
import type { Backend } from "../backend/backend.ts";
import { dlqOf, type Plan } from "../config/plan.ts";

/** Lists and deliveries left behind by chains and storages that the configuration no longer names. */
export interface Stranded {
  /** Entries no chain takes. */
  readonly lists: readonly { readonly name: string; readonly waiting: number; readonly parked: number }[];
  /** Dead-letter lists of no chain. */
  readonly deadLetters: readonly { readonly name: string; readonly waiting: number }[];
  /** Storages with pending deliveries; they wait until the storage is back or the vCon is deleted. */
  readonly storages: readonly { readonly name: string; readonly deliveries: number }[];
}

/** Lists that chains take from. Those of a disabled chain wait on purpose. */
export const listTakenLists = ({ chains }: Pick<Plan, "chains">): string[] =>
  chains.flatMap(({ ingressLists }) => ingressLists);

export async function findStranded(
  backend: Pick<Backend, "holdings" | "backlog">,
  { chains, storages }: Pick<Plan, "chains" | "storages">,
): Promise<Stranded> {
  const dlqs = chains.flatMap((chain) => chain.ingressLists.map((list) => dlqOf(chain, list)));
  // a list that a chain used to take from may be one that it sends to by now
  const sent = chains.flatMap(({ egressLists }) => egressLists);
  const [held, backlog] = await Promise.all([
    backend.holdings([...listTakenLists({ chains }), ...dlqs, ...sent]),
    backend.backlog(),
  ]);
  const known = new Set(storages.map(({ name }) => name));
  return {
    lists: held.filter(({ dead }) => !dead).map(({ list: name, waiting, parked }) => ({ name, waiting, parked })),
    deadLetters: held.filter(({ dead }) => dead).map(({ list: name, waiting }) => ({ name, waiting })),
    storages: Object.entries(backlog)
      .filter(([name, deliveries]) => deliveries > 0 && !known.has(name))
      .map(([name, deliveries]) => ({ name, deliveries })),
  };
}

export interface Move {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

const BATCH = 64;

/**
 * Moves entries of a list to the end of another one, where its chain begins them anew. They are claimed like work, so
 * that none is lost when this ends half-way; delayed ones can be moved when they are due.
 */
export async function moveEntries(
  backend: Pick<Backend, "claim" | "settle">,
  { from, to, count, chain }: Move & { readonly chain: string },
): Promise<number> {
  const owner = `move-${randomUUID()}`;
  let moved = 0;
  for (const suspects of [false, true]) {
    while (moved < count) {
      const lists = [{ name: from, chain, max: Math.min(BATCH, count - moved) }];
      const { runs } = await backend.claim({ owner, lists, suspects, together: suspects });
      if (runs.length === 0) break;
      await backend.settle(
        runs.map((lease) => ({ kind: "halted" as const, lease, sendTo: [to], expiry: { kind: "keep" as const } })),
      );
      moved += runs.length;
    }
  }
  return moved;
}

/**
 * Moves dead letters of a chain that is gone: deliveries to their storage, everything else to the chain that takes from
 * `to`, unless another one takes from the list it came from.
 */
export async function moveDeadLetters(
  backend: Pick<Backend, "claim" | "settle" | "deadLetters" | "reprocess">,
  { from: dlq, to, count, taken }: Move & { readonly taken: readonly string[] },
): Promise<number> {
  let moved = 0;
  while (moved < count) {
    const limit = Math.min(BATCH, count - moved);
    const letters = await backend.deadLetters({ dlq, offset: 0, limit });
    if (letters.length === 0) break;
    const back = await backend.reprocess(dlq, letters.length, { fallback: to });
    if (back === 0) break;
    moved += back;
    const stranded = letters.flatMap(({ record }) =>
      record !== undefined && record.kind !== "storage" && record.list !== "" && !taken.includes(record.list)
        ? [record]
        : [],
    );
    // under the name of the chain that failed, so that its dead letter counts as made good
    for (const [place, records] of Map.groupBy(stranded, ({ list, chain }) => JSON.stringify([list, chain]))) {
      const [from, chain] = JSON.parse(place) as [string, string];
      await moveEntries(backend, { from, to, chain, count: records.length });
    }
  }
  return moved;
}
