import type { DeadLetter, DeadLetterQuery, DeadLetterRecord } from "@vcon-server/core/backend";
import { holdExpiry, startExpiry } from "./expiry.ts";
import type { Store } from "./store.ts";

interface Burial {
  readonly dlq: string;
  readonly uuid: string;
  readonly record: DeadLetterRecord;
  /** Which delivery this is about; the same one is buried once, with its latest record. */
  readonly delivery?: string;
}

/** Puts an entry with its record into a dead-letter list. Returns the entry. */
export function bury(store: Store, { dlq, uuid, record, delivery }: Burial): number {
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
  const entry = append(store, dlq, uuid);
  store
    .sql("INSERT INTO letters (entry, dlq, list, delivery, record) VALUES (?, ?, ?, ?, ?)")
    .run(entry, dlq, record.list, delivery ?? null, body);
  return entry;
}

function append(store: Store, list: string, item: string, extras = 1): number {
  const row = store
    .sql<{ id: number }>("INSERT INTO queue (list, item, extras) VALUES (?, ?, ?) RETURNING id")
    .get(list, item, extras);
  if (row === undefined) throw new Error(`appending to ${list}: the database returned no row`);
  store.news.lists.add(list);
  return row.id;
}

interface Letter {
  readonly id: number;
  readonly item: string;
  readonly delivery: string | null;
  readonly record: string | null;
}

/** Entries without a record may have come from any list. */
function lettersOf(store: Store, { dlq, list, offset, limit }: DeadLetterQuery): Letter[] {
  return store
    .sql<Letter>(
      `SELECT q.id, q.item, l.delivery, l.record FROM queue q LEFT JOIN letters l ON l.entry = q.id
       WHERE q.state = 0 AND q.list = ?1 AND (?2 IS NULL OR l.list IS NULL OR l.list = ?2)
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
      revive(store, { uuid: letter.item, storage: record.storage });
      store.sql("DELETE FROM queue WHERE id = ?").run(letter.id);
      startExpiry(store, letter.item);
    } else {
      requeue(store, letter, record?.list ?? filter.fallback);
    }
  }
  return letters.length;
}

/** The delivery is due at once, with all its patience back. */
function revive(store: Store, pair: { readonly uuid: string; readonly storage: string }): void {
  const now = store.now();
  store
    .sql(
      `UPDATE deliveries SET state = 0, attempt = 0, since = ?, due = ?, held_until = 0, error = NULL
       WHERE uuid = ? AND storage = ? AND state = 2`,
    )
    .run(now, now, pair.uuid, pair.storage);
}

/** A new entry at the end of the list takes the checkpoint along. */
function requeue(store: Store, letter: Letter, list: string): void {
  const entry = append(store, list, letter.item, 0);
  const moved = store.sql("UPDATE checkpoints SET entry = ? WHERE entry = ?").run(entry, letter.id);
  if (moved > 0) store.sql("UPDATE queue SET extras = 1 WHERE id = ?").run(entry);
  store.sql("DELETE FROM queue WHERE id = ?").run(letter.id);
  holdExpiry(store, letter.item);
}
