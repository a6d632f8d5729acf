import type { StoredVcon } from "@vcon-server/core";
import { readTime, writeDate } from "@vcon-server/vcon";
import { nameStatement, type Statement } from "./statement.ts";
import type { Names } from "./table.ts";

const COLUMNS = "id, vcon, uuid, created_at, updated_at, subject, vcon_json";

/** Times are kept in UTC; an unusable `created_at` becomes the time of saving. */
const CREATED = (value: string): string => `coalesce(${value}, now()) AT TIME ZONE 'UTC'`;

const REPLACE = `ON CONFLICT (id) DO UPDATE SET vcon = excluded.vcon, created_at = excluded.created_at,
  updated_at = excluded.updated_at, subject = excluded.subject, vcon_json = excluded.vcon_json`;

/** Statements on one table. */
export interface Statements {
  readonly upsert: Statement;
  readonly upsertMany: Statement;
  readonly load: Statement;
  readonly delete: Statement;
}

export const statementsFor = ({ table }: Names): Statements => ({
  upsert: nameStatement(`INSERT INTO ${table} (${COLUMNS})
    VALUES ($1, $2, $1, ${CREATED("$3::timestamptz")}, now() AT TIME ZONE 'UTC', $4, $5::jsonb) ${REPLACE}`),
  // in one order everywhere: two batches with the same rows cannot wait for each other
  upsertMany: nameStatement(`INSERT INTO ${table} (${COLUMNS})
    SELECT id, vcon, id, ${CREATED("created_at")}, now() AT TIME ZONE 'UTC', subject, json::jsonb
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[]) AS rows (id, vcon, created_at, subject, json)
    ORDER BY id ${REPLACE}`),
  load: nameStatement(`SELECT vcon_json::text AS json FROM ${table} WHERE id = $1`),
  delete: nameStatement(`DELETE FROM ${table} WHERE id = $1`),
});

/** Values of one vCon in the order of the statements' parameters. */
export type Row = readonly [id: string, vcon: string, createdAt: string | null, subject: string | null, json: string];

export function rowOf({ uuid, bytes, vcon }: StoredVcon): Row {
  const subject = typeof vcon.subject === "string" ? vcon.subject : null;
  return [
    uuid,
    typeof vcon.vcon === "string" ? vcon.vcon : "",
    timeOf(vcon.created_at),
    subject,
    new TextDecoder().decode(bytes),
  ];
}

/** Bytes of documents that travel in one statement: the driver makes one text of it, which must not grow without bound. */
const STATEMENT_BYTES = 32 * 1024 * 1024;

/** Splits a batch into parts of limited size; a document that is larger goes alone. */
export function splitBySize(docs: readonly StoredVcon[], most = STATEMENT_BYTES): StoredVcon[][] {
  const parts: StoredVcon[][] = [];
  let size = 0;
  for (const doc of docs) {
    const last = parts.at(-1);
    size += doc.bytes.length;
    if (last !== undefined && size <= most) last.push(doc);
    else {
      parts.push([doc]);
      size = doc.bytes.length;
    }
  }
  return parts;
}

/** One array a column. Each vCon must be there once: a statement may touch a row once. */
export function columnsOf(docs: readonly StoredVcon[]): (string | null)[][] {
  const rows = docs.map(rowOf);
  return [0, 1, 2, 3, 4].map((column) => rows.map((row) => row[column] ?? null));
}

/** The time in the one form that every server reads, or null for what is no date of the years 1 to 9999. */
export function timeOf(createdAt: unknown): string | null {
  const ms = readTime(createdAt);
  const text = ms === undefined ? undefined : writeDate(ms);
  // the calendar of PostgreSQL has no year 0
  return text === undefined || text.startsWith("0000") ? null : text;
}
