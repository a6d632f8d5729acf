import { type Submission, type SubmitResult, TOMBSTONE_MS } from "@vcon-server/core/backend";
import { dropCopy, findVcon, type VconRow, writeVcon } from "./documents.ts";
import { push } from "./lists.ts";
import type { Store } from "./store.ts";

export function submit(store: Store, batch: readonly Submission[]): SubmitResult[] {
  return batch.map((submission) => submitOne(store, submission));
}

function submitOne(store: Store, submission: Submission): SubmitResult {
  const row = findVcon(store, submission.uuid);
  if (refuses(submission, row)) return { kind: "refused", rev: row?.present === true ? row.rev : undefined };
  if (row?.document !== undefined && row.submitted === submission.submitted) {
    if (submission.requeue === true) queue(store, submission);
    return { kind: "same", rev: row.rev };
  }
  const { uuid, bytes, index, submitted } = submission;
  const rev = writeVcon(store, { uuid, bytes, index, submitted, row });
  queue(store, submission);
  return { kind: row?.present === true ? "replaced" : "created", rev };
}

function refuses({ precondition }: Submission, row: VconRow | undefined): boolean {
  if (precondition === undefined) return false;
  if ("absent" in precondition) return row?.present === true;
  return row?.present !== true || !precondition.match.includes(row.rev);
}

function queue(store: Store, { lists, uuid }: Submission): void {
  for (const list of lists) push(store, list, [uuid]);
}

export function remove(store: Store, uuid: string, storages: readonly string[]): boolean {
  const now = store.now();
  const row = findVcon(store, uuid);
  const known = store
    .sql<{ id: number }>("SELECT id FROM deliveries WHERE uuid = ? AND action = 'save' LIMIT 1")
    .get(uuid);
  const rev = tombstone(store, uuid, row);
  store.sql("DELETE FROM queue WHERE item = ?").run(uuid);
  store.sql("DELETE FROM waits WHERE uuid = ?").run(uuid);
  store
    .sql("DELETE FROM deliveries WHERE uuid = ? AND storage NOT IN (SELECT value FROM json_each(?))")
    .run(uuid, JSON.stringify(storages));
  const want = store.sql(
    `INSERT INTO deliveries (uuid, storage, action, state, want, since, due, chain, dlq)
     VALUES (?, ?, 'delete', 0, ?, ?, ?, '', '')
     ON CONFLICT (uuid, storage) DO UPDATE SET action = 'delete', state = 0, want = excluded.want, done = NULL,
       attempt = 0, since = excluded.since, due = max(excluded.due, held_until), error = NULL`,
  );
  for (const storage of storages) want.run(uuid, storage, rev, now, now);
  return row?.present === true || known !== undefined;
}

/** Counts the revision up, so that nothing based on an older one can be written, and forgets everything else. */
function tombstone(store: Store, uuid: string, row: VconRow | undefined): number {
  const forgetAt = store.now() + TOMBSTONE_MS;
  if (row === undefined) {
    store.sql("INSERT INTO vcons (uuid, present, gone, rev, forget_at) VALUES (?, 0, 1, 1, ?)").run(uuid, forgetAt);
    return 1;
  }
  dropCopy(store, row.id, forgetAt);
  store.sql("UPDATE vcons SET gone = 1, rev = rev + 1, submitted = NULL WHERE id = ?").run(row.id);
  return row.rev + 1;
}
