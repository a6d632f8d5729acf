import { crc32 } from "node:zlib";
import type { Document, Index, IndexTerm, ListQuery } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import { startExpiry } from "./expiry.ts";
import type { Store } from "./store.ts";

/** One vCon as the store knows it. `present` is false for tombstones and for what expired a while ago. */
export interface VconRow {
  readonly id: number;
  readonly present: boolean;
  readonly gone: boolean;
  readonly rev: number;
  readonly submitted: string | undefined;
  readonly expires: boolean;
  readonly document: Document | undefined;
  /** The stored bytes are not what was written; the row counts as present, its document as absent. */
  readonly damaged: boolean;
}

interface Columns {
  readonly id: number;
  readonly present: number;
  readonly gone: number;
  readonly rev: number;
  readonly submitted: string | null;
  readonly expires_at: number | null;
  readonly crc: number | null;
  readonly bytes: Uint8Array | null;
}

/** A vCon with its document. */
export function findVcon(store: Store, uuid: string): VconRow | undefined {
  const row = store
    .sql<Columns>(
      `SELECT v.id, v.present, v.gone, v.rev, v.submitted, v.expires_at, b.crc, b.bytes
       FROM vcons v LEFT JOIN bodies b ON b.id = v.id WHERE v.uuid = ?`,
    )
    .get(uuid);
  if (row === undefined) return undefined;
  const fresh = row.present === 1 && (row.expires_at === null || row.expires_at > store.now());
  const sound = row.bytes !== null && crc32(row.bytes) === row.crc;
  const submitted = row.submitted ?? undefined;
  const document = { uuid: uuid as VconUuid, rev: row.rev, bytes: row.bytes ?? new Uint8Array() };
  return {
    id: row.id,
    present: fresh,
    gone: row.gone === 1,
    rev: row.rev,
    submitted,
    expires: row.expires_at !== null,
    damaged: fresh && !sound,
    document: fresh && sound ? { ...document, ...(submitted === undefined ? {} : { submitted }) } : undefined,
  };
}

/** What `writeVcon` stores besides the document. */
interface Write {
  readonly uuid: string;
  readonly bytes: Uint8Array;
  readonly index: Index;
  /** The row as it is now, when there is one. */
  readonly row: { readonly id: number; readonly rev: number } | undefined;
  /** Undefined keeps what is there. */
  readonly submitted?: string;
  /** Keeps the revision of the row instead of counting it up. */
  readonly sameRevision?: boolean;
  readonly ttl?: number;
}

/** Stores a document under its next revision, with its index entries and without an expiry. Returns the revision. */
export function writeVcon(store: Store, write: Write): number {
  const { uuid, bytes, index, row } = write;
  const rev = row === undefined ? 1 : row.rev + (write.sameRevision === true ? 0 : 1);
  const terms = JSON.stringify([...new Set(index.terms)].sort());
  const ttl = write.ttl === undefined ? null : Math.round(write.ttl);
  if (row === undefined) {
    const inserted = store
      .sql<{ id: number }>(
        "INSERT INTO vcons (uuid, present, rev, submitted, created_at, terms, ttl) VALUES (?, 1, ?, ?, ?, ?, ?) RETURNING id",
      )
      .get(uuid, rev, write.submitted ?? null, index.createdAt, terms, ttl);
    if (inserted === undefined) throw new Error(`storing ${uuid}: the database returned no row`);
    writeTerms(store, inserted.id, terms);
    store.sql("INSERT INTO bodies (id, crc, bytes) VALUES (?, ?, ?)").run(inserted.id, crc32(bytes), bytes);
    return rev;
  }
  const old = store.sql<{ terms: string }>("SELECT terms FROM vcons WHERE id = ?").get(row.id)?.terms;
  store
    .sql(
      `UPDATE vcons SET present = 1, gone = 0, rev = ?, submitted = coalesce(?, submitted), created_at = ?,
       terms = ?, ttl = ?, expires_at = NULL, forced = 0, forget_at = NULL WHERE id = ?`,
    )
    .run(rev, write.submitted ?? null, index.createdAt, terms, ttl, row.id);
  if (old !== terms) rewriteTerms(store, row.id, terms);
  store
    .sql(
      "INSERT INTO bodies (id, crc, bytes) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET crc = excluded.crc, bytes = excluded.bytes",
    )
    .run(row.id, crc32(bytes), bytes);
  return rev;
}

function writeTerms(store: Store, id: number, terms: string): void {
  if (terms === "[]") return;
  store.sql("INSERT INTO terms (term, vcon) SELECT value, ? FROM json_each(?)").run(id, terms);
}

function rewriteTerms(store: Store, id: number, terms: string): void {
  store.sql("DELETE FROM terms WHERE vcon = ?").run(id);
  writeTerms(store, id, terms);
}

/**
 * Takes the working copy away and keeps the row until `forgetAt`, so that revisions go on counting when the vCon
 * comes back and, for deleted ones, late commits are refused.
 */
export function dropCopy(store: Store, id: number, forgetAt: number): void {
  store
    .sql(
      `UPDATE vcons SET present = 0, terms = '[]', ttl = NULL, expires_at = NULL, forced = 0, forget_at = ?
       WHERE id = ?`,
    )
    .run(forgetAt, id);
  store.sql("DELETE FROM terms WHERE vcon = ?").run(id);
  store.sql("DELETE FROM bodies WHERE id = ?").run(id);
}

export function restore(
  store: Store,
  restored: { readonly uuid: string; readonly bytes: Uint8Array; readonly index: Index; readonly ttl: number },
): void {
  const row = findVcon(store, restored.uuid);
  if (row?.gone === true || row?.document !== undefined) return;
  writeVcon(store, { ...restored, row, sameRevision: true });
  startExpiry(store, restored.uuid);
}

/** A batch of uuids after the row `after`, in no order, with where to go on; `undefined` at the end. */
export function scanFrom(
  store: Store,
  after: number,
): { readonly uuids: VconUuid[]; readonly next: number } | undefined {
  const rows = store
    .sql<{ id: number; uuid: VconUuid }>(
      "SELECT id, uuid FROM vcons WHERE id > ? AND present = 1 AND (expires_at IS NULL OR expires_at > ?) ORDER BY id LIMIT 1000",
    )
    .all(after, store.now());
  const last = rows.at(-1);
  return last === undefined ? undefined : { uuids: rows.map((row) => row.uuid), next: last.id };
}

export function list(store: Store, query: ListQuery): VconUuid[] {
  return store
    .sql<{ uuid: VconUuid }>(
      `SELECT uuid FROM vcons WHERE present = 1 AND created_at BETWEEN ? AND ? AND (expires_at IS NULL OR expires_at > ?)
       ORDER BY created_at DESC, uuid DESC LIMIT ? OFFSET ?`,
    )
    .all(query.since ?? -Number.MAX_VALUE, query.until ?? Number.MAX_VALUE, store.now(), query.limit, query.offset)
    .map((row) => row.uuid);
}

/** True AND, walking the rarest term. */
export function search(store: Store, terms: readonly IndexTerm[]): VconUuid[] {
  const [rarest, ...others] = [...new Set(terms)]
    .map((term) => ({ term, rows: countUpTo(store, term, 10_000) }))
    .sort((a, b) => a.rows - b.rows);
  if (rarest === undefined) return [];
  return store
    .sql<{ uuid: VconUuid }>(
      `SELECT v.uuid FROM terms t CROSS JOIN vcons v ON v.id = t.vcon
       WHERE t.term = ? AND v.present = 1 AND (v.expires_at IS NULL OR v.expires_at > ?)
       AND NOT EXISTS (SELECT 1 FROM json_each(?) wanted
         WHERE NOT EXISTS (SELECT 1 FROM terms o WHERE o.term = wanted.value AND o.vcon = t.vcon))`,
    )
    .all(rarest.term, store.now(), JSON.stringify(others.map((other) => other.term)))
    .map((row) => row.uuid);
}

function countUpTo(store: Store, term: string, limit: number): number {
  return (
    store.sql<{ n: number }>("SELECT count(*) AS n FROM (SELECT 1 FROM terms WHERE term = ? LIMIT ?)").get(term, limit)
      ?.n ?? 0
  );
}

export function reindex(store: Store, entries: readonly { readonly uuid: string; readonly index: Index }[]): void {
  for (const { uuid, index } of entries) {
    const row = store.sql<{ id: number }>("SELECT id FROM vcons WHERE uuid = ? AND present = 1").get(uuid);
    if (row === undefined) continue;
    const terms = JSON.stringify([...new Set(index.terms)].sort());
    store.sql("UPDATE vcons SET created_at = ?, terms = ? WHERE id = ?").run(index.createdAt, terms, row.id);
    rewriteTerms(store, row.id, terms);
  }
}
