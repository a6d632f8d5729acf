import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import type { Members } from "../oracle/content.ts";
import type { Row } from "../oracle/judge.ts";

/** A storage as a judge reads it: with its own client, not through the server. */
export interface JudgedStorage {
  readonly name: string;
  /** Uuids of all it holds; one that is there twice is named twice. Cheap enough to ask often. */
  uuids(): Promise<readonly string[]>;
  rows(): Promise<readonly Row[]>;
}

/** The folder of a `file` storage. */
export function fileRows(folder: string): JudgedStorage {
  const files = () => vconFiles(folder);
  return {
    name: "file",
    uuids: async () => files().map(({ uuid }) => uuid),
    rows: async () => files().map(({ uuid, path }) => ({ uuid, document: JSON.parse(readFileSync(path, "utf8")) })),
  };
}

function vconFiles(folder: string): { readonly uuid: string; readonly path: string }[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  } catch {
    // nothing has been stored yet
    return [];
  }
  return entries
    .filter((entry) => entry.isFile() && /^[0-9a-f-]{36}\.json$/.test(entry.name))
    .map(({ name, parentPath }) => ({ uuid: name.slice(0, 36), path: join(parentPath, name) }));
}

/** The table of a `postgres` storage. `url` leads to a server that may be down: then asking throws. */
export function postgresRows(url: string, table = "vcons"): JudgedStorage {
  const query = async (columns: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new Client({ connectionString: url });
    // a server that is stopped while we are connected must not end the test's process
    client.on("error", () => undefined);
    await client.connect();
    try {
      const exists = await client.query("SELECT to_regclass($1) AS found", [table]);
      if (exists.rows[0]?.found === null) return [];
      return (await client.query(`SELECT ${columns} FROM ${table}`)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    name: "postgres",
    uuids: async () => (await query("uuid")).map(({ uuid }) => String(uuid)),
    rows: async () =>
      (await query("uuid, vcon_json")).map((row) => ({
        uuid: String(row["uuid"]),
        document: asDocument(row["vcon_json"]),
      })),
  };
}

const asDocument = (value: unknown): Members => value as Members;
