import type { DeliveryOutcome, DeliveryReport, DeliveryState, DeliveryTask, Ending } from "@vcon-server/core/backend";
import { ANSWER_BYTES } from "../wire/codec.ts";
import { bury } from "./dead-letters.ts";
import { copyById, soundDocument, vconByUuid } from "./documents.ts";
import { startExpiry } from "./expiry.ts";
import { append, type Item } from "./lists.ts";
import { DELIVERED, GIVEN_UP, PENDING } from "./schema.ts";
import type { Store } from "./store.ts";

interface Wanted {
  readonly vcon: number;
  readonly rev: number;
  readonly ending: Extract<Ending, { kind: "done" }>;
}

/**
 * Records that each storage is to have this revision. Returns the storages whose pair the caller now holds; where
 * somebody else is busy with the pair, that one learns of the newer revision when it reports.
 */
export function wantDeliveries(store: Store, { vcon, rev, ending }: Wanted): string[] {
  const now = store.now();
  const lease = Math.round(ending.deliveryLease);
  const { chain } = ending.lease;
  const want = store.sql<{ taken: number }>(
    `INSERT INTO deliveries (vcon, storage, action, state, want, since, due, held_until, lease, chain, dlq)
     VALUES (?1, ?2, 'save', 0, ?3, ?4, ?5, ?5, ?6, ?7, ?8)
     ON CONFLICT (vcon, storage) DO UPDATE SET action = 'save', want = excluded.want, chain = excluded.chain,
       dlq = excluded.dlq, error = NULL, done = CASE WHEN action = 'save' THEN done END,
       since = CASE WHEN state = 0 AND action = 'save' THEN since ELSE excluded.since END,
       attempt = CASE WHEN state = 0 AND action = 'save' THEN attempt ELSE 0 END,
       due = CASE WHEN state = 0 AND held_until > ?4 THEN due ELSE excluded.due END,
       lease = CASE WHEN state = 0 AND held_until > ?4 THEN lease ELSE excluded.lease END,
       held_until = CASE WHEN state = 0 AND held_until > ?4 THEN held_until ELSE excluded.held_until END,
       state = 0`,
  );
  const busy = store.sql<{ n: number }>(
    "SELECT 1 AS n FROM deliveries WHERE vcon = ? AND storage = ? AND state = 0 AND held_until > ?",
  );
  return [...new Set(ending.storages)].filter((storage) => {
    const held = busy.get(vcon, storage, now) !== undefined;
    want.run(vcon, storage, rev, now, now + lease, lease, chain, ending.dlq);
    return !held;
  });
}

interface Row {
  readonly id: number;
  readonly vcon: number;
  readonly storage: string;
  readonly action: "save" | "delete";
  readonly want: number;
  readonly done: number | null;
  readonly attempt: number;
  readonly since: number;
  readonly due: number;
  readonly lease: number;
  readonly chain: string;
  readonly dlq: string;
  readonly error: string | null;
}

export function claimDeliveries(store: Store, max: number, lease: number): DeliveryTask[] {
  const now = store.now();
  const until = now + Math.round(lease);
  const rows = store
    .sql<Row>(
      `UPDATE deliveries SET due = ?1, held_until = ?1, lease = ?2
       WHERE id IN (SELECT id FROM deliveries WHERE state = 0 AND due <= ?3 ORDER BY due LIMIT ?4) RETURNING *`,
    )
    .all(until, Math.round(lease), now, max);
  let bytes = 0;
  return rows.flatMap((row) => {
    if (bytes > ANSWER_BYTES) {
      makeDue(store, row);
      return [];
    }
    const { storage, action, attempt, since, dlq, chain } = row;
    const vcon = copyById(store, row.vcon);
    if (vcon === undefined || (action === "save" && vcon.gone === 1)) {
      forgetDeleted(store, row);
      return [];
    }
    // without its document the caller gives it up: the vCon must not vanish without a dead letter
    const document = action === "save" ? soundDocument(store, vcon) : undefined;
    bytes += document?.bytes.byteLength ?? 0;
    return [{ uuid: vcon.uuid, storage, action, attempt, since, dlq, chain, document }];
  });
}

/** A vCon that was deleted on purpose is not saved any more. */
function forgetDeleted(store: Store, row: Pick<Row, "id" | "vcon">): void {
  store.sql("DELETE FROM deliveries WHERE id = ?").run(row.id);
  store.sql("DELETE FROM waits WHERE vcon = ?").run(row.vcon);
}

export function settleDeliveries(store: Store, batch: readonly DeliveryReport[]): DeliveryOutcome[] {
  let bytes = 0;
  return batch.map((report) => {
    const outcome = settleOne(store, report);
    if (outcome.kind === "settled") return outcome;
    if (bytes > ANSWER_BYTES) {
      // the next claim brings it
      const row = pairOf(store, report);
      if (row !== undefined) makeDue(store, row);
      return SETTLED;
    }
    bytes += outcome.document.bytes.byteLength;
    return outcome;
  });
}

const pairOf = (store: Store, { uuid, storage }: DeliveryReport): Row | undefined =>
  store
    .sql<Row>("SELECT d.* FROM vcons v JOIN deliveries d ON d.vcon = v.id WHERE v.uuid = ? AND d.storage = ?")
    .get(uuid, storage);

const SETTLED: DeliveryOutcome = { kind: "settled" };

function settleOne(store: Store, report: DeliveryReport): DeliveryOutcome {
  const row = pairOf(store, report);
  if (row === undefined) return SETTLED;
  if (row.action !== report.action) return otherAction(store, row);
  const { result } = report;
  if (result.kind === "done") return delivered(store, row, report);
  if (result.kind === "again") {
    store
      .sql("UPDATE deliveries SET state = 0, attempt = attempt + ?, due = ?, held_until = 0, error = ? WHERE id = ?")
      .run(result.counts ? 1 : 0, store.now() + Math.round(result.delay), `${result.code}: ${result.message}`, row.id);
    return SETTLED;
  }
  const { record, dlq } = result;
  store
    .sql("UPDATE deliveries SET state = ?, attempt = ?, held_until = 0, error = ? WHERE id = ?")
    .run(GIVEN_UP, record.attempt, `${record.code}: ${record.message}`, row.id);
  bury(store, { dlq, item: report.uuid, vcon: row.vcon, record, delivery: `${report.uuid}:${row.storage}` });
  return SETTLED;
}

/** The pair was turned round while the caller was busy: a vCon deleted meanwhile, or submitted again. */
function otherAction(store: Store, row: Row): DeliveryOutcome {
  if (row.action === "save") return sendAgain(store, row);
  makeDue(store, row);
  return SETTLED;
}

function makeDue(store: Store, { id }: Row): void {
  store.sql("UPDATE deliveries SET state = 0, due = ?, held_until = 0 WHERE id = ?").run(store.now(), id);
}

function delivered(store: Store, row: Row, { uuid, rev: sent }: DeliveryReport): DeliveryOutcome {
  const rev = row.action === "delete" ? row.want : typeof sent === "number" ? sent : 0;
  const done = Math.max(rev, row.done ?? 0);
  store.sql("UPDATE deliveries SET done = ? WHERE id = ?").run(done, row.id);
  completeRuns(store, { item: uuid, vcon: row.vcon });
  if (done < row.want) return sendAgain(store, row);
  store
    .sql("UPDATE deliveries SET state = ?, attempt = 0, held_until = 0, error = NULL WHERE id = ?")
    .run(DELIVERED, row.id);
  startExpiry(store, row.vcon);
  return SETTLED;
}

/** Hands the newest document back; the caller holds the pair for as long as it did the first time. */
function sendAgain(store: Store, row: Row): DeliveryOutcome {
  const document = soundDocument(store, copyById(store, row.vcon));
  if (document === undefined) {
    // due at once, so that it is taken without a document and given up with the reason
    makeDue(store, row);
    return SETTLED;
  }
  const until = store.now() + row.lease;
  store.sql("UPDATE deliveries SET state = ?, due = ?, held_until = ? WHERE id = ?").run(PENDING, until, until, row.id);
  return { kind: "again", document };
}

/** Pushes the egress lists of runs whose required storages have their revision. */
function completeRuns(store: Store, entry: Item): void {
  const complete = store
    .sql<{ egress: string }>(
      `DELETE FROM waits WHERE vcon = ?1 AND NOT EXISTS (SELECT 1 FROM json_each(waits.required) r WHERE NOT EXISTS (
         SELECT 1 FROM deliveries d WHERE d.vcon = ?1 AND d.storage = r.value AND d.action = 'save' AND d.done >= waits.rev))
       RETURNING egress`,
    )
    .all(entry.vcon);
  for (const { egress } of complete) {
    for (const list of JSON.parse(egress) as readonly string[]) append(store, list, entry);
  }
}

export function deliveries(store: Store, uuid: string): Record<string, DeliveryState> {
  const id = vconByUuid(store, uuid)?.id ?? null;
  const rows = store.sql<Row>("SELECT * FROM deliveries WHERE vcon = ? ORDER BY storage").all(id);
  const states = rows.map((row): [string, DeliveryState] => {
    const want = row.action === "delete" ? "delete" : row.want;
    const { attempt, due } = row;
    return [row.storage, { want, done: row.done ?? undefined, attempt, due, error: row.error ?? undefined }];
  });
  return Object.fromEntries(states);
}

export function backlog(store: Store): Record<string, number> {
  const rows = store
    .sql<{ storage: string; n: number }>(
      "SELECT substr(name, 9) AS storage, n FROM counters WHERE name >= 'storage:' AND name < 'storage;' AND n > 0",
    )
    .all();
  return Object.fromEntries(rows.map(({ storage, n }) => [storage, n]));
}
