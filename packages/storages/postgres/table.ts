import type { ClientBase } from "pg";

/** A table name that can be written into a statement: one or two plain names. */
export const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,47}(?:\.[A-Za-z_][A-Za-z0-9_]{0,47})?$/;

/** Names in statements, each in quotes, so that upper case is kept and no word is reserved. */
export interface Names {
  /** `"schema"."table"` or `"table"`. */
  readonly table: string;
  /** Index names; an index is made in the schema of its table. */
  readonly createdAt: string;
  readonly uuid: string;
  readonly json: string;
}

export function namesOf(tableName: string): Names {
  const parts = tableName.split(".");
  const bare = parts.at(-1) ?? tableName;
  return {
    table: parts.map((part) => `"${part}"`).join("."),
    createdAt: `idx_${bare}_created_at`,
    uuid: `idx_${bare}_uuid`,
    json: `idx_${bare}_json`,
  };
}

const DDL = (names: Names): string => `
  CREATE TABLE IF NOT EXISTS ${names.table} (
    id UUID PRIMARY KEY,
    vcon TEXT NOT NULL,
    uuid UUID UNIQUE NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    subject TEXT,
    vcon_json JSONB NOT NULL
  );
  CREATE INDEX IF NOT EXISTS "${names.createdAt}" ON ${names.table} (created_at);
  CREATE INDEX IF NOT EXISTS "${names.uuid}" ON ${names.table} (uuid);
  CREATE INDEX IF NOT EXISTS "${names.json}" ON ${names.table} USING GIN (vcon_json);`;

/** Any numbers. With the hash of the table's name they keep two processes from making the same table or index at once. */
const TABLE_LOCK = 723_190_511;
const INDEX_LOCK = 723_190_512;

/** Facts the server reports about itself and the user. */
export interface Facts {
  /** Schema that a table without one is made in; null when the search path names none that exists. */
  readonly schema: string | null;
  readonly role: string;
  readonly encoding: string;
  /** It repeats another server and only reads. */
  readonly standby: boolean;
  /** Transactions only read unless they say otherwise. */
  readonly read_only: boolean;
}

export async function readFacts(client: ClientBase): Promise<Facts> {
  const { rows } = await client.query<Facts>(
    `SELECT current_schema() AS schema, current_user::text AS role, current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only')::bool AS read_only`,
  );
  const [facts] = rows;
  if (!facts) throw new Error("the server answers a question about itself with nothing");
  return facts;
}

export async function tableExists(client: ClientBase, { table }: Names): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>("SELECT to_regclass($1) IS NOT NULL AS found", [table]);
  return rows[0]?.found === true;
}

/**
 * Makes the table with its indices unless another process was faster. All statements travel together: that is one
 * transaction, also through a pooler that gives every statement another connection.
 */
export async function makeTable(client: ClientBase, names: Names): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(${TABLE_LOCK}, hashtext('${names.table}'));${DDL(names)}`);
}

/** Valid indices of a table by the column they begin with. */
const INDEXED = `
  SELECT a.attname AS column, am.amname AS method, i.indisvalid AS valid, c.relname AS name
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_am am ON am.oid = c.relam
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = to_regclass($1) AND i.indpred IS NULL`;

interface IndexRow {
  readonly column: string;
  readonly method: string;
  readonly valid: boolean;
  readonly name: string;
}

/**
 * Adds the indices an existing table lacks, whatever those it has are called, while others go on writing. Returns the
 * names of those added. Does nothing while another process is at it.
 */
export async function ensureIndices(client: ClientBase, names: Names): Promise<string[]> {
  // most tables lack nothing: then no lock is taken, which a pooler might leave behind
  if ((await readMissing(client, names)).missing.length === 0) return [];
  const { rows: lock } = await client.query<{ mine: boolean }>(
    `SELECT pg_try_advisory_lock(${INDEX_LOCK}, hashtext($1)) AS mine`,
    [names.table],
  );
  if (lock[0]?.mine !== true) return [];
  try {
    const { missing, rows } = await readMissing(client, names);
    const schema = names.table.includes(".") ? `${names.table.split(".")[0]}.` : "";
    for (const { name, column, method } of missing) {
      // one that was interrupted stays behind and is of no use
      if (rows.some((row) => row.name === name && !row.valid))
        await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${schema}"${name}"`);
      await client.query(
        `CREATE INDEX CONCURRENTLY IF NOT EXISTS "${name}" ON ${names.table} USING ${method} (${column})`,
      );
    }
    return missing.map(({ name }) => name);
  } finally {
    // behind a pooler this may be another connection, which does not hold the lock: nothing but adding indices needs it
    await client.query(`SELECT pg_advisory_unlock(${INDEX_LOCK}, hashtext($1))`, [names.table]).catch(() => undefined);
  }
}

async function readMissing(client: ClientBase, names: Names) {
  const { rows } = await client.query<IndexRow>(INDEXED, [names.table]);
  const wanted = [
    { name: names.createdAt, column: "created_at", method: "btree" },
    { name: names.uuid, column: "uuid", method: "btree" },
    { name: names.json, column: "vcon_json", method: "gin" },
  ];
  const missing = wanted.filter(
    (index) => !rows.some((row) => row.valid && row.column === index.column && row.method === index.method),
  );
  return { missing, rows };
}
