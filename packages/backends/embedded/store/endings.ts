import type { Change, Checkpoint, Ending, SettleResult } from "@vcon-server/core/backend";
import { type Held, heldBy, keepCheckpoint, putBack } from "./claims.ts";
import { bury } from "./dead-letters.ts";
import { wantDeliveries } from "./deliveries.ts";
import { copyById, isPresent, soundDocument, type VconRow, vconById, writeVcon } from "./documents.ts";
import { decideExpiry } from "./expiry.ts";
import { append } from "./lists.ts";
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
  const row = vconById(store, held.vcon);
  const committed = commit(store, row, ending.change);
  if (committed.kind === "conflict") return committed;
  // the copy was lost while the run had it: the caller puts back what it has, or the storages would never get it
  if (ending.kind === "done" && ending.storages.length > 0 && committed.rev === undefined)
    return { kind: "conflict", current: undefined };
  if (ending.kind === "dead") {
    endDead(store, held, ending);
    return { ...committed, deliver: [] };
  }
  const entry = { item: ending.lease.uuid, vcon: held.vcon };
  for (const list of ending.sendTo) append(store, list, entry);
  const deliver = ending.kind === "done" ? deliverAndSend(store, held, { ending, rev: committed.rev }) : [];
  store.sql("DELETE FROM queue WHERE id = ?").run(held.id);
  if (row !== undefined) decideExpiry(store, row, ending.expiry);
  return { ...committed, deliver };
}

type Committed = { readonly kind: "ok"; readonly rev: number | undefined };

function commit(
  store: Store,
  row: VconRow | undefined,
  change: Change | undefined,
): Committed | Extract<SettleResult, { kind: "conflict" }> {
  const present = isPresent(store, row);
  if (change === undefined) return { kind: "ok", rev: present ? row.rev : undefined };
  if (!present || row.rev !== change.base)
    return { kind: "conflict", current: soundDocument(store, copyById(store, row?.id ?? null)) };
  const rev = row.rev + 1;
  writeVcon(store, { uuid: row.uuid, bytes: change.bytes, index: change.index, row, rev, ttl: undefined });
  return { kind: "ok", rev };
}

interface Finished {
  readonly ending: Done;
  readonly rev: number | undefined;
}

/** Records deliveries, and the egress lists for whoever completes the last required one. */
function deliverAndSend(store: Store, held: Held, { ending, rev }: Finished): string[] {
  const { lease, storages, required, egress } = ending;
  const needed = required.filter((storage) => storages.includes(storage));
  const deliver =
    rev === undefined || held.vcon === null ? [] : wantDeliveries(store, { vcon: held.vcon, rev, ending });
  if (rev === undefined || held.vcon === null || needed.length === 0) {
    for (const list of egress) append(store, list, { item: lease.uuid, vcon: held.vcon });
  } else {
    store
      .sql("INSERT INTO waits (vcon, rev, required, egress) VALUES (?, ?, ?, ?)")
      .run(held.vcon, rev, JSON.stringify(needed), JSON.stringify(egress));
  }
  return deliver;
}

function endDead(store: Store, held: Held, ending: Dead): void {
  const kept = ending.checkpoint ?? (ending.change === undefined ? currentCheckpoint(store, held) : undefined);
  store.sql("DELETE FROM queue WHERE id = ?").run(held.id);
  const { dlq, record, lease } = ending;
  const entry = bury(store, { dlq, item: lease.uuid, vcon: held.vcon, record });
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
