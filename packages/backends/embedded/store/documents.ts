import { crc32 } from "node:zlib";
import type { Document, Index } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import type { Store } from "./store.ts";

/** What is known of a vCon without its bytes; the row outlives the working copy as a tombstone or to count revisions. */
export interface VconRow {
  readonly id: number;
  readonly uuid: VconUuid;
  readonly present: number;
  readonly gone: number;
  readonly rev: number;
  readonly submitted: string | null;
  /** Lists that submissions of this content have named, separated by spaces. */
  readonly sent: string;
  readonly created_at: number;
  readonly terms: string;
  readonly ttl: number | null;
  /** 1: a link asked for the expiry. */
  readonly forced: number;
  readonly expires_at: number | null;
}

const COLUMNS = "id, uuid, present, gone, rev, submitted, sent, created_at, terms, ttl, forced, expires_at";

export function vconByUuid(store: Store, uuid: string): VconRow | undefined {
  return store.sql<VconRow>(`SELECT ${COLUMNS} FROM vcons WHERE uuid = ?`).get(uuid);
}

export function vconById(store: Store, id: number | null): VconRow | undefined {
  return id === null ? undefined : store.sql<VconRow>(`SELECT ${COLUMNS} FROM vcons WHERE id = ?`).get(id);
}

/** Whether there is a working copy now; an expired one may still wait to be taken away. */
export function isPresent<Row extends Pick<VconRow, "present" | "expires_at">>(
  store: Store,
  row: Row | undefined,
): row is Row {
  return row?.present === 1 && (row.expires_at === null || row.expires_at > store.now());
}

/** A vCon with its bytes and without what only writers need. */
export interface Copy extends Pick<VconRow, "id" | "uuid" | "present" | "gone" | "rev" | "submitted" | "expires_at"> {
  readonly crc: number | null;
  readonly bytes: Uint8Array | null;
}

const COPY = `SELECT v.id, v.uuid, v.present, v.gone, v.rev, v.submitted, v.expires_at, b.crc, b.bytes
  FROM vcons v LEFT JOIN bodies b ON b.id = v.id`;

export function copyByUuid(store: Store, uuid: string): Copy | undefined {
  return store.sql<Copy>(`${COPY} WHERE v.uuid = ?`).get(uuid);
}

export function copyById(store: Store, id: number | null): Copy | undefined {
  return id === null ? undefined : store.sql<Copy>(`${COPY} WHERE v.id = ?`).get(id);
}

/** The working copy, `"damaged"` when its bytes are not what was written, undefined when there is none. */
export function documentOf(store: Store, copy: Copy | undefined): Document | "damaged" | undefined {
  if (!isPresent(store, copy)) return undefined;
  const { uuid, rev, submitted, bytes } = copy;
  if (bytes === null || crc32(bytes) !== copy.crc) return "damaged";
  return submitted === null ? { uuid, rev, bytes } : { uuid, rev, bytes, submitted };
}

/** The working copy; a damaged one counts as missing, with a line in the log: a storage may still have it whole. */
export function soundDocument(store: Store, copy: Copy | undefined): Document | undefined {
  const document = documentOf(store, copy);
  if (document !== "damaged") return document;
  store.log.error("a working copy is damaged on disk and is treated as missing; check the disk", { uuid: copy?.uuid });
  return undefined;
}

/** What `writeVcon` stores. */
interface Write {
  readonly uuid: string;
  readonly bytes: Uint8Array;
  readonly index: Index;
  /** The row as it is now, when there is one. */
  readonly row: VconRow | undefined;
  readonly rev: number;
  /** Undefined keeps what is there. */
  readonly submitted?: string;
  /** Milliseconds it stays when nothing refers to it, null for ever; undefined keeps what a run decided. */
  readonly ttl: number | null | undefined;
}

/** Stores a document with its index entries and without a running expiry. Returns the number of its row. */
export function writeVcon(store: Store, write: Write): number {
  const { row, rev, bytes, index } = write;
  const terms = index.terms.length === 0 ? "[]" : JSON.stringify([...new Set(index.terms)].sort());
  if (row === undefined) {
    return insertVcon(store, write, terms);
  }
  const sameIndex = row.present === 1 && row.created_at === index.createdAt && row.terms === terms;
  const sameTtl = write.ttl === undefined || (row.ttl === write.ttl && row.forced === 0);
  if (sameIndex && row.expires_at === null && sameTtl && write.submitted === undefined) {
    // naming only what changes leaves the indices alone
    store.sql("UPDATE vcons SET rev = ? WHERE id = ?").run(rev, row.id);
  } else {
    const keeps = write.ttl === undefined ? 1 : 0;
    store
      .sql(
        `UPDATE vcons SET present = 1, gone = 0, rev = ?1, submitted = coalesce(?2, submitted), created_at = ?3, terms = ?4,
         ttl = CASE WHEN ?6 THEN ttl ELSE ?5 END, forced = CASE WHEN ?6 THEN forced ELSE 0 END,
         expires_at = NULL, forget_at = NULL WHERE id = ?7`,
      )
      .run(rev, write.submitted ?? null, index.createdAt, terms, write.ttl ?? null, keeps, row.id);
    if (row.terms !== terms) rewriteTerms(store, row.id, terms);
  }
  store
    .sql(
      `INSERT INTO bodies (id, crc, bytes) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET crc = excluded.crc, bytes = excluded.bytes`,
    )
    .run(row.id, crc32(bytes), bytes);
  return row.id;
}

function insertVcon(store: Store, { uuid, bytes, index, rev, submitted, ttl }: Write, terms: string): number {
  const id = store
    .sql("INSERT INTO vcons (uuid, present, rev, submitted, created_at, terms, ttl) VALUES (?, 1, ?, ?, ?, ?, ?)")
    .insert(uuid, rev, submitted ?? null, index.createdAt, terms, ttl ?? null);
  writeTerms(store, id, terms);
  store.sql("INSERT INTO bodies (id, crc, bytes) VALUES (?, ?, ?)").run(id, crc32(bytes), bytes);
  adoptEntries(store, id, uuid);
  return id;
}

/** Entries that were pushed before the vCon was known now refer to it. */
export function adoptEntries(store: Store, id: number, uuid: string): void {
  if (store.sql("SELECT 1 FROM queue WHERE vcon IS NULL AND item = ? LIMIT 1").get(uuid) === undefined) return;
  store.sql("UPDATE queue SET vcon = ? WHERE vcon IS NULL AND item = ?").run(id, uuid);
}

function writeTerms(store: Store, id: number, terms: string): void {
  if (terms === "[]") return;
  store.sql("INSERT INTO terms (term, vcon) SELECT value, ? FROM json_each(?)").run(id, terms);
}

export function rewriteTerms(store: Store, id: number, terms: string): void {
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
