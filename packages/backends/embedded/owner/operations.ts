import { health, read, readSizes, repair } from "../store/care.ts";
import { abandon, checkpoint, claim, giveBack, heartbeat, suspects } from "../store/claims.ts";
import { deadLetters, reprocess } from "../store/dead-letters.ts";
import { backlog, claimDeliveries, deliveries, settleDeliveries } from "../store/deliveries.ts";
import { settle } from "../store/endings.ts";
import { list, reindex, scanFrom, search } from "../store/find.ts";
import { holdings } from "../store/holdings.ts";
import { depths, peek, pop, push, writeCounts } from "../store/lists.ts";
import type { Store } from "../store/store.ts";
import { remove, restore, submit } from "../store/submissions.ts";
import { readSubmitters } from "../store/submitters.ts";
import type { OperationName, Operations } from "../wire/messages.ts";

interface Surroundings {
  readonly store: Store;
  readonly file: string;
  readonly synchronous: "full" | "normal";
}

/** The operations of one store. */
export function operationsOf({ store, file, synchronous }: Surroundings): Operations {
  const counted = <Result>(run: () => Result): Result => {
    try {
      const result = run();
      writeCounts(store);
      return result;
    } finally {
      store.takeCounts();
    }
  };
  return {
    read: (uuids) => read(store, uuids),
    sizes: (uuids) => readSizes(store, uuids),
    submitters: (uuids) => readSubmitters(store, uuids),
    submit: (batch) => counted(() => submit(store, batch)),
    restore: (document) => restore(store, document),
    remove: (uuid, storages) => counted(() => remove(store, uuid, storages)),
    list: (query) => list(store, query),
    search: (terms) => search(store, terms),
    reindex: (entries) => reindex(store, entries),
    scanFrom: (after) => scanFrom(store, after),
    push: (name, uuids) => counted(() => push(store, name, uuids)),
    pop: (name, count) => counted(() => pop(store, name, count)),
    depths: (lists) => depths(store, lists),
    peek: (name, offset, count) => peek(store, name, offset, count),
    claim: (request) => counted(() => claim(store, request)),
    heartbeat: (owner) => heartbeat(store, owner),
    abandon: (owner, lists) => abandon(store, owner, lists),
    giveBack: (owner, lists, known) => counted(() => giveBack(store, owner, lists, known)),
    suspects: (lists) => suspects(store, lists),
    checkpoint: (batch) => checkpoint(store, batch),
    settle: (batch) => counted(() => settle(store, batch)),
    claimDeliveries: (max, lease) => claimDeliveries(store, max, lease),
    settleDeliveries: (batch) => counted(() => settleDeliveries(store, batch)),
    deliveries: (uuid) => deliveries(store, uuid),
    backlog: () => backlog(store),
    deadLetters: (query) => deadLetters(store, query),
    reprocess: (dlq, count, filter) => counted(() => reprocess(store, dlq, count, filter)),
    holdings: (except) => holdings(store, except),
    repair: () => repair(store),
    health: () => health(store, file, synchronous),
  };
}

/** Operations that change nothing: they need no transaction and go on when the disk is full. */
export const READS: ReadonlySet<OperationName> = new Set<OperationName>([
  "read",
  "sizes",
  "submitters",
  "list",
  "search",
  "scanFrom",
  "depths",
  "peek",
  "heartbeat",
  "suspects",
  "deliveries",
  "backlog",
  "deadLetters",
  "holdings",
  "health",
]);
