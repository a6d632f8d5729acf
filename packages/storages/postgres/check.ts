import { VconError } from "@vcon-server/core";
import type { PoolClient } from "pg";
import { explainEncoding, explainReadOnly } from "./failures.ts";
import { columnsOf, type Statements } from "./rows.ts";
import { type Names, readFacts } from "./table.ts";

/** Throws unless every vCon can be saved here: it does all that saving and loading do, but with no rows. */
export async function checkTable(client: PoolClient, names: Names, statements: Statements): Promise<void> {
  const facts = await readFacts(client);
  if (facts.standby || facts.read_only) {
    const message = `checking: nothing can be saved in ${names.table}: ${explainReadOnly({ facts })}`;
    throw new VconError("VCON_STORAGE_DOWN", message);
  }
  await client.query(statements.upsertMany.text, columnsOf([]));
  await client.query(`SELECT vcon_json FROM ${names.table} LIMIT 1`);
  const encoding = explainEncoding(facts);
  if (encoding !== undefined) throw new VconError("VCON_STORAGE_REFUSED", `checking: ${encoding}`);
}
