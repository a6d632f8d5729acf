import type { DeadLetter, DeadLetterQuery, DeadLetterRecord } from "@vcon-server/core/backend";
import { startExpiry } from "./expiry.ts";
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
      revive(store, letter.vcon, record.storage);
      drop(store, dlq, letter.id);
      startExpiry(store, letter.vcon);
    } else {
      requeue(store, letter, record?.list ?? filter.fallback);
      drop(store, dlq, letter.id);
    }
  }
  return letters.length;
}

/** The delivery is due at once, with all its patience back. */
function revive(store: Store, vcon: number | null, storage: string): void {
  const now = store.now();
  store
    .sql(
      `UPDATE deliveries SET state = 0, attempt = 0, since = ?, due = ?, held_until = 0, error = NULL
       WHERE vcon = ? AND storage = ? AND state = 2`,
    )
    .run(now, now, vcon, storage);
}

/** A new entry at the end of the list takes the checkpoint along. */
function requeue(store: Store, letter: Letter, list: string): void {
  const entry = append(store, list, letter);
  const moved = store.sql("UPDATE checkpoints SET entry = ? WHERE entry = ?").run(entry, letter.id);
  if (moved > 0) attachExtras(store, entry);
}
