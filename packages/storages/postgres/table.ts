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

/** Any number. With the hash of the table's name it keeps two processes from making the same table or index at once. */
const LOCK = 723_190_511;

/** Makes the table with its indices when there is none. True when it was there already. */
export async function ensureTable(client: ClientBase, names: Names): Promise<boolean> {
  if (await tableExists(client, names)) return true;
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock($1, hashtext($2))", [LOCK, names.table]);
    // asking again would be answered from this session's cache: only the statement itself sees what others made
    await client.query(DDL(names));
    await client.query("COMMIT");
    return false;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

async function tableExists(client: ClientBase, { table }: Names): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>("SELECT to_regclass($1) IS NOT NULL AS found", [table]);
  return rows[0]?.found === true;
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
  const { rows: lock } = await client.query<{ mine: boolean }>(
    "SELECT pg_try_advisory_lock($1, hashtext($2)) AS mine",
    [LOCK, names.table],
  );
  if (lock[0]?.mine !== true) return [];
  try {
    const { rows } = await client.query<IndexRow>(INDEXED, [names.table]);
    const wanted = [
      { name: names.createdAt, column: "created_at", method: "btree" },
      { name: names.uuid, column: "uuid", method: "btree" },
      { name: names.json, column: "vcon_json", method: "gin" },
    ];
    const schema = names.table.includes(".") ? `${names.table.split(".")[0]}.` : "";
    const missing = wanted.filter(
      (index) => !rows.some((row) => row.valid && row.column === index.column && row.method === index.method),
    );
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
    await client.query("SELECT pg_advisory_unlock($1, hashtext($2))", [LOCK, names.table]).catch(() => undefined);
  }
}
