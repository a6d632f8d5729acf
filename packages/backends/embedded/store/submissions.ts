import { type Restored, type Submission, type SubmitResult, TOMBSTONE_MS } from "@vcon-server/core/backend";
import {
  adoptEntries,
  copyByUuid,
  documentOf,
  dropCopy,
  isPresent,
  type VconRow,
  vconByUuid,
  writeVcon,
} from "./documents.ts";
import { holdExpiry, startExpiry } from "./expiry.ts";
import { append } from "./lists.ts";
import type { Store } from "./store.ts";
import { forgetSubmitter, rememberSubmitter } from "./submitters.ts";

export function submit(store: Store, batch: readonly Submission[]): SubmitResult[] {
  return batch.map((submission) => submitOne(store, submission));
}

function submitOne(store: Store, submission: Submission): SubmitResult {
  const { uuid, bytes, index, submitted } = submission;
  const row = vconByUuid(store, uuid);
  const present = isPresent(store, row);
  if (refuses(submission, present ? row : undefined)) return { kind: "refused", rev: present ? row.rev : undefined };
  if (present && row.submitted === submitted && documentOf(store, copyByUuid(store, uuid)) !== "damaged") {
    const sent = row.sent.split(" ");
    const lists =
      submission.requeue === true ? submission.lists : submission.lists.filter((list) => !sent.includes(list));
    if (lists.length > 0) {
      queue(store, { uuid, lists }, row.id);
      remember(store, row.id, [...sent, ...lists]);
      holdExpiry(store, row);
    }
    return { kind: "same", rev: row.rev, queued: lists.length };
  }
  const rev = (row?.rev ?? 0) + 1;
  const id = writeVcon(store, { uuid, bytes, index, submitted, row, rev, ttl: null });
  if (submission.submitter !== undefined) rememberSubmitter(store, uuid, submission.submitter);
  queue(store, submission, id);
  remember(store, id, submission.lists);
  return { kind: present ? "replaced" : "created", rev, queued: submission.lists.length };
}

/** Which lists this content went to, so that repeating the request queues it nowhere twice. */
function remember(store: Store, id: number, lists: readonly string[]): void {
  store.sql("UPDATE vcons SET sent = ? WHERE id = ?").run([...new Set(lists)].filter(Boolean).join(" "), id);
}

function refuses({ precondition }: Submission, row: VconRow | undefined): boolean {
  if (precondition === undefined) return false;
  if ("absent" in precondition) return row !== undefined;
  return row === undefined || !precondition.match.includes(row.rev);
}

function queue(store: Store, { lists, uuid }: Pick<Submission, "lists" | "uuid">, vcon: number): void {
  for (const list of lists) append(store, list, { item: uuid, vcon });
}

export function restore(store: Store, restored: Restored): void {
  const { uuid, bytes, index, ttl } = restored;
  const row = vconByUuid(store, uuid);
  const there = documentOf(store, copyByUuid(store, uuid));
  if (row?.gone === 1 || (there !== undefined && there !== "damaged")) return;
  startExpiry(store, writeVcon(store, { uuid, bytes, index, row, rev: row?.rev ?? 1, ttl: Math.round(ttl) }));
}

export function remove(store: Store, uuid: string, storages: readonly string[]): boolean {
  const now = store.now();
  const row = vconByUuid(store, uuid);
  const present = isPresent(store, row);
  const { id, rev } = tombstone(store, uuid, row);
  forgetSubmitter(store, uuid);
  const delivered = store.sql("SELECT 1 FROM deliveries WHERE vcon = ? AND action = 'save' LIMIT 1").get(id);
  const entries = store.sql<{ list: string; state: number }>("DELETE FROM queue WHERE vcon = ? RETURNING list, state");
  for (const { list, state } of entries.all(id)) if (state === 0) store.count(list, -1);
  store.sql("DELETE FROM waits WHERE vcon = ?").run(id);
  store
    .sql("DELETE FROM deliveries WHERE vcon = ? AND storage NOT IN (SELECT value FROM json_each(?))")
    .run(id, JSON.stringify(storages));
  const want = store.sql(
    `INSERT INTO deliveries (vcon, storage, action, state, want, since, due, chain, dlq)
     VALUES (?, ?, 'delete', 0, ?, ?, ?, '', '')
     ON CONFLICT (vcon, storage) DO UPDATE SET action = 'delete', state = 0, want = excluded.want, done = NULL,
       attempt = 0, since = excluded.since, due = max(excluded.due, held_until), error = NULL`,
  );
  for (const storage of storages) want.run(id, storage, rev, now, now);
  return present || delivered !== undefined;
}

interface Tombstone {
  readonly id: number;
  readonly rev: number;
}

/** Counts the revision up, so that nothing based on an older one can be written, and forgets everything else. */
function tombstone(store: Store, uuid: string, row: VconRow | undefined): Tombstone {
  const forgetAt = store.now() + TOMBSTONE_MS;
  if (row === undefined) {
    const id = store
      .sql("INSERT INTO vcons (uuid, present, gone, rev, forget_at) VALUES (?, 0, 1, 1, ?)")
      .insert(uuid, forgetAt);
    adoptEntries(store, id, uuid);
    return { id, rev: 1 };
  }
  dropCopy(store, row.id, forgetAt);
  store.sql("UPDATE vcons SET gone = 1, rev = rev + 1, submitted = NULL WHERE id = ?").run(row.id);
  return { id: row.id, rev: row.rev + 1 };
}
