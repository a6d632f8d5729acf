import { type DeadLetter, type DeadLetterQuery, type DeadLetterRecord, TOMBSTONE_MS } from "@vcon-server/core/backend";
import { vconById, vconByUuid } from "./documents.ts";
import { startExpiry } from "./expiry.ts";
import { noteUse } from "./holdings.ts";
import { append, drop, type Item } from "./lists.ts";
import type { Store } from "./store.ts";

interface Burial extends Item {
  readonly dlq: string;
  readonly record: DeadLetterRecord;
  /** Which delivery this is about; the same one is buried once, with its latest record. */
  readonly delivery?: string;
}

/** Puts an entry with its record into a dead-letter list. Returns the entry. */
export function bury(store: Store, { dlq, item, vcon, record, delivery }: Burial): number {
  noteUse(store, "dlq", dlq);
  const body = JSON.stringify(record);
  const known =
    delivery === undefined
      ? undefined
      : store
          .sql<{ entry: number }>(
            "UPDATE letters SET record = ?, list = ? WHERE dlq = ? AND delivery = ? RETURNING entry",
          )
          .get(body, record.list, dlq, delivery);
  if (known !== undefined) return known.entry;
  const entry = append(store, dlq, { item, vcon });
  attachExtras(store, entry);
  store
    .sql("INSERT INTO letters (entry, dlq, list, delivery, record) VALUES (?, ?, ?, ?, ?)")
    .run(entry, dlq, record.list, delivery ?? null, body);
  return entry;
}

/** Says that a checkpoint or a record goes with the entry. */
function attachExtras(store: Store, entry: number): void {
  store.sql("UPDATE queue SET extras = 1 WHERE id = ?").run(entry);
}

interface Letter extends Item {
  readonly id: number;
  readonly delivery: string | null;
  readonly record: string | null;
}

/** Entries without a record may have come from any list. */
function lettersOf(store: Store, { dlq, list, offset, limit }: DeadLetterQuery): Letter[] {
  return store
    .sql<Letter>(
      `SELECT q.id, q.item, q.vcon, l.delivery, l.record FROM queue q LEFT JOIN letters l ON l.entry = q.id
       WHERE q.state = 0 AND q.list = ?1 AND (?2 IS NULL OR l.list IS NULL OR l.list IN (?2, ''))
       ORDER BY q.id LIMIT ?3 OFFSET ?4`,
    )
    .all(dlq, list ?? null, limit, offset);
}

const parseRecord = (text: string | null): DeadLetterRecord | undefined =>
  text === null ? undefined : (JSON.parse(text) as DeadLetterRecord);

export function deadLetters(store: Store, query: DeadLetterQuery): DeadLetter[] {
  return lettersOf(store, query).map(({ item, record }) => ({ uuid: item, record: parseRecord(record) }));
}

export interface Reprocess {
  readonly list?: string;
  readonly fallback: string;
}

export function reprocess(store: Store, dlq: string, count: number, filter: Reprocess): number {
  const query = { dlq, offset: 0, limit: count, ...(filter.list === undefined ? {} : { list: filter.list }) };
  const letters = lettersOf(store, query);
  for (const letter of letters) {
    const record = parseRecord(letter.record);
    if (record?.kind === "storage" && record.storage !== undefined) {
      revive(store, letter, { storage: record.storage, chain: record.chain, dlq });
      drop(store, dlq, letter.id);
      startExpiry(store, letter.vcon);
    } else {
      requeue(store, letter, record?.list ?? filter.fallback);
      drop(store, dlq, letter.id);
    }
  }
  return letters.length;
}

interface Revival {
  readonly storage: string;
  readonly chain: string;
  readonly dlq: string;
}

/**
 * The delivery is due at once, with all its patience back. One that is not known any more is wanted anew: it is
 * delivered where there is a document, and a dead letter with the reason again where there is none.
 */
function revive(store: Store, { item, vcon }: Item, { storage, chain, dlq }: Revival): void {
  const now = store.now();
  const row = vconById(store, vcon) ?? vconByUuid(store, item);
  if (row?.gone === 1) return;
  const id = row?.id ?? rememberLost(store, item);
  store
    .sql(
      `INSERT INTO deliveries (vcon, storage, action, state, want, since, due, chain, dlq)
       VALUES (?1, ?2, 'save', 0, ?3, ?4, ?4, ?5, ?6)
       ON CONFLICT (vcon, storage) DO UPDATE SET state = 0, attempt = 0, since = excluded.since, due = excluded.due,
         held_until = 0, error = NULL WHERE state = 2`,
    )
    .run(id, storage, row?.rev ?? 1, now, chain, dlq);
}

/** A row for a vCon of which nothing is left but its dead letter. */
function rememberLost(store: Store, uuid: string): number {
  return store
    .sql("INSERT INTO vcons (uuid, present, rev, forget_at) VALUES (?, 0, 1, ?)")
    .insert(uuid, store.now() + TOMBSTONE_MS);
}

/** A new entry at the end of the list takes the checkpoint along. */
function requeue(store: Store, letter: Letter, list: string): void {
  const entry = append(store, list, letter);
  const moved = store.sql("UPDATE checkpoints SET entry = ? WHERE entry = ?").run(entry, letter.id);
  if (moved > 0) attachExtras(store, entry);
}
