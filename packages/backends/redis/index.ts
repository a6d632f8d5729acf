import type { Logger } from "@vcon-server/core";
import { type Backend, LEASE_MS } from "@vcon-server/core/backend";
import { type Adoption, createAdoption } from "./adopt.ts";
import { claimRuns, type Origins } from "./claim.ts";
import { connect } from "./connect.ts";
import type { Context } from "./context.ts";
import { deadLetters, reprocess } from "./dead-letters.ts";
import { backlogOf, claimDeliveries, deliveriesOf, settleDeliveries } from "./deliveries.ts";
import {
  readDocuments,
  readSizes,
  readSubmitters,
  removeDocument,
  restoreDocument,
  scanDocuments,
} from "./documents.ts";
import { healthOf, requireFitServer } from "./health.ts";
import { createHoldings, dlqsOfEndings, dlqsOfReports } from "./holdings.ts";
import { listUuids, reindex, searchUuids } from "./index-sets.ts";
import { createConsumers, depthsOf, peekAt, popAll, pushAll } from "./lists.ts";
import { createOutboxes } from "./outbox.ts";
import { abandon, giveBack, heartbeat, suspectsOf, writeCheckpoints } from "./owners.ts";
import { createRepair } from "./repair.ts";
import { settleRuns } from "./settle.ts";
import { createStore } from "./store.ts";
import { submitAll } from "./submit.ts";
import { parseRedisUrl } from "./url.ts";
import { createWatch } from "./watch.ts";

export interface RedisBackendOptions {
  /** `redis://`, `rediss://`, `redis+sentinel://`, `redis+cluster://`; a plain URL of a cluster node is recognised. */
  readonly url: string;
  readonly log: Logger;
  /** Key of the sorted set of all vCons. */
  readonly sortedSetName?: string;
  /** Milliseconds after which an index set that nobody writes goes. */
  readonly indexExpiry?: number | undefined;
  /** Acknowledge intake after a replica has it. */
  readonly redisAck?: "master" | "replica";
  /** Milliseconds a lease lasts without a heartbeat. */
  readonly leaseMs?: number;
  /** Milliseconds without an answer after which Redis counts as away. */
  readonly commandTimeout?: number;
}

/**
 * Opens the backend on a Redis ≥ 6.2 or Valkey server, a Sentinel group or a cluster. Throws `VCON_BACKEND_DOWN` when
 * it does not answer within the command timeout, `VCON_BACKEND_UNFIT` when it is too old or refuses the credentials.
 */
export async function openRedisBackend(options: RedisBackendOptions): Promise<Backend> {
  const { log, commandTimeout: timeout = 2_000 } = options;
  const connection = await connect(parseRedisUrl(options.url), { timeout, log });
  const context: Context = {
    store: createStore(connection, log),
    log,
    sortedSet: options.sortedSetName ?? "vcons",
    indexExpiry: options.indexExpiry,
    waitForReplica: options.redisAck === "replica",
    leaseMs: options.leaseMs ?? LEASE_MS,
    timeout,
  };
  try {
    await requireFitServer(context);
  } catch (error) {
    connection.close();
    throw error;
  }
  const watch = createWatch(connection, log);
  const outboxes = createOutboxes(context);
  const adoption = createAdoption(context);
  const backend = operations(context, outboxes, adoption);
  return {
    ...backend,
    waitForWork: (lists, wait, signal) => watch.wait(lists, wait, signal),
    async close() {
      await adoption.close();
      await outboxes.idle();
      watch.close();
      connection.close();
    },
  };
}

function operations(
  context: Context,
  outboxes: ReturnType<typeof createOutboxes>,
  adoption: Adoption,
): Omit<Backend, "waitForWork" | "close"> {
  const consumers = createConsumers(context);
  const holdings = createHoldings(context);
  const origins: Origins = new Map();
  const deps = { context, consumers, adoption, outboxes, origins, unfit: new Set<string>() };
  const due = { context, foreignShards: new Set<number>() };
  return {
    kind: "redis",
    read: (uuids) => readDocuments(context, uuids),
    sizes: (uuids) => readSizes(context, uuids),
    submitters: (uuids) => readSubmitters(context, uuids),
    submit: (batch) => submitAll(context, batch),
    restore: (document) => restoreDocument(context, document),
    remove: (uuid, storages, lists = []) => removeDocument(context, uuid, { storages, lists }),
    list: (query) => listUuids(context, query),
    search: (terms) => searchUuids(context, terms),
    reindex: (entries) => reindex(context, entries),
    scan: () => scanDocuments(context),
    push: (list, uuids) => pushAll(context, consumers, { list, uuids }),
    pop: (list, count, only) => popAll(context, { list, count, only }),
    depths: (lists) => depthsOf(context, lists),
    peek: (list, offset, count) => peekAt(context, list, { offset, count }),
    async claim(request) {
      await holdings.note(
        "taken",
        request.lists.map(({ name }) => name),
      );
      return claimRuns(deps, request);
    },
    heartbeat: (owner, lists) => heartbeat(context, owner, lists),
    abandon: (owner, lists) => abandon(context, owner, lists),
    giveBack: (owner, lists, known) => giveBack(context, { owner, lists, known }),
    suspects: (lists) => suspectsOf(context, lists),
    checkpoint: (batch) => writeCheckpoints(context, batch),
    async settle(batch) {
      await holdings.note("dlq", dlqsOfEndings(batch));
      return settleRuns(deps, batch);
    },
    claimDeliveries: (max, lease) => claimDeliveries(due, max, lease),
    async settleDeliveries(batch) {
      await holdings.note("dlq", dlqsOfReports(batch));
      return settleDeliveries(context, batch);
    },
    deliveries: (uuid) => deliveriesOf(context, uuid),
    backlog: () => backlogOf(context),
    deadLetters: (query) => deadLetters(context, query),
    reprocess: (dlq, count, filter) => reprocess(context, consumers, { dlq, count, ...filter }),
    holdings: (except) => holdings.list(except),
    repair: createRepair(context),
    health: () => healthOf(context),
  };
}
