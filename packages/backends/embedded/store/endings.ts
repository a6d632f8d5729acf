import type { Change, Checkpoint, Ending, Lease, SettleResult } from "@vcon-server/core/backend";
import { type Held, heldBy, keepCheckpoint, putBack, soundDocument } from "./claims.ts";
import { bury } from "./dead-letters.ts";
import { wantDeliveries } from "./deliveries.ts";
import { findVcon, writeVcon } from "./documents.ts";
import { decideExpiry, startExpiry } from "./expiry.ts";
import { push } from "./lists.ts";
import type { Store } from "./store.ts";

type Done = Extract<Ending, { kind: "done" }>;
type Dead = Extract<Ending, { kind: "dead" }>;

export function settle(store: Store, batch: readonly Ending[]): SettleResult[] {
  return batch.map((ending) => settleOne(store, ending));
}

function settleOne(store: Store, ending: Ending): SettleResult {
  const held = heldBy(store, ending.lease);
  if (typeof held === "string") return { kind: held };
  if (ending.kind === "release") {
    putBack(store, ending.lease.list, held);
    return { kind: "ok", rev: undefined, deliver: [] };
  }
  if (ending.kind === "later") {
    postpone(store, held, ending);
    return { kind: "ok", rev: undefined, deliver: [] };
  }
  const committed = commit(store, ending.lease, ending.change);
  if (committed.kind === "conflict") return committed;
  const { rev } = committed;
  if (ending.kind === "dead") {
    endDead(store, held, ending);
    return { kind: "ok", rev, deliver: [] };
  }
  for (const list of ending.sendTo) push(store, list, [ending.lease.uuid]);
  const deliver = ending.kind === "done" ? deliverAndSend(store, ending, rev) : [];
  store.sql("DELETE FROM queue WHERE id = ?").run(held.id);
  decideExpiry(store, ending.lease.uuid, ending.expiry);
  startExpiry(store, ending.lease.uuid);
  return { kind: "ok", rev, deliver };
}

type Committed =
  | { readonly kind: "ok"; readonly rev: number | undefined }
  | Extract<SettleResult, { kind: "conflict" }>;

function commit(store: Store, lease: Lease, change: Change | undefined): Committed {
  if (change === undefined) {
    const row = store.sql<{ rev: number }>("SELECT rev FROM vcons WHERE uuid = ? AND present = 1").get(lease.uuid);
    return { kind: "ok", rev: row?.rev };
  }
  const row = store
    .sql<{ id: number; rev: number; present: number }>("SELECT id, rev, present FROM vcons WHERE uuid = ?")
    .get(lease.uuid);
  if (row?.present !== 1 || row.rev !== change.base) {
    return { kind: "conflict", current: soundDocument(store, lease.uuid, findVcon(store, lease.uuid)) };
  }
  const { bytes, index } = change;
  return { kind: "ok", rev: writeVcon(store, { uuid: lease.uuid, bytes, index, row }) };
}

/** Records deliveries, and the egress lists for whoever completes the last required one. */
function deliverAndSend(store: Store, ending: Done, rev: number | undefined): string[] {
  const { lease, storages, required, egress } = ending;
  if (rev === undefined) {
    for (const list of egress) push(store, list, [lease.uuid]);
    return [];
  }
  const deliver = wantDeliveries(store, { uuid: lease.uuid, rev, ending });
  const needed = required.filter((storage) => storages.includes(storage));
  if (needed.length === 0) {
    for (const list of egress) push(store, list, [lease.uuid]);
  } else {
    store
      .sql("INSERT INTO waits (uuid, rev, required, egress) VALUES (?, ?, ?, ?)")
      .run(lease.uuid, rev, JSON.stringify(needed), JSON.stringify(egress));
  }
  return deliver;
}

function endDead(store: Store, held: Held, ending: Dead): void {
  const kept = ending.checkpoint ?? (ending.change === undefined ? currentCheckpoint(store, held) : undefined);
  store.sql("DELETE FROM queue WHERE id = ?").run(held.id);
  const { dlq, record, lease } = ending;
  const entry = bury(store, { dlq, uuid: lease.uuid, record });
  if (kept !== undefined) keepCheckpoint(store, entry, kept);
}

function currentCheckpoint(store: Store, held: Held): Checkpoint | undefined {
  if (held.extras === 0) return undefined;
  const row = store.sql<{ body: string }>("SELECT body FROM checkpoints WHERE entry = ?").get(held.id);
  return row === undefined ? undefined : (JSON.parse(row.body) as Checkpoint);
}

function postpone(store: Store, held: Held, ending: Extract<Ending, { kind: "later" }>): void {
  const due = store.now() + Math.round(ending.delay);
  store
    .sql("UPDATE queue SET state = 2, owner = NULL, lone = 0, due = ?, attempt = ? WHERE id = ?")
    .run(due, ending.attempt, held.id);
  if (ending.checkpoint !== undefined) keepCheckpoint(store, held.id, ending.checkpoint);
  store.news.due = Math.min(store.news.due, due);
}
