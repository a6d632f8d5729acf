// The embedded ceiling: node:sqlite alone, 32 claims, 32 parses, 32 writes in one transaction with FULL durability.
import { DatabaseSync } from "node:sqlite";
import { standardDocuments } from "../standard-document.ts";
import { cheapWork } from "../work.ts";

const [file = "", count = "0"] = process.argv.slice(2);
const BATCH = 32;
const database = new DatabaseSync(file);
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE documents (id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, bytes BLOB);
  CREATE TABLE queue (id INTEGER PRIMARY KEY, uuid TEXT, state INTEGER);
  CREATE INDEX waiting ON queue (id) WHERE state = 0;
  CREATE TABLE egress (id INTEGER PRIMARY KEY, uuid TEXT)`);
const put = database.prepare("INSERT INTO documents (uuid, bytes) VALUES (?, ?)");
const push = database.prepare("INSERT INTO queue (uuid, state) VALUES (?, 0)");
// the server under test has run for a while when it is measured, so this loop must be warm too
for (const { text } of standardDocuments(2_000)) cheapWork(text);
database.exec("BEGIN");
for (const { uuid, text } of standardDocuments(Number(count))) {
  put.run(uuid, Buffer.from(text));
  push.run(uuid);
}
database.exec("COMMIT");

const claim = database.prepare(
  "UPDATE queue SET state = 1 WHERE id IN (SELECT id FROM queue WHERE state = 0 ORDER BY id LIMIT ?) RETURNING id, uuid",
);
const get = database.prepare("SELECT bytes FROM documents WHERE uuid = ?");
const update = database.prepare("UPDATE documents SET bytes = ? WHERE uuid = ?");
const acknowledge = database.prepare("DELETE FROM queue WHERE id = ?");
const out = database.prepare("INSERT INTO egress (uuid) VALUES (?)");

process.send?.("ready");
process.once("message", () => {
  for (;;) {
    database.exec("BEGIN IMMEDIATE");
    const entries = claim.all(BATCH);
    database.exec("COMMIT");
    if (entries.length === 0) break;
    database.exec("BEGIN IMMEDIATE");
    for (const { id, uuid } of entries) {
      const bytes = get.get(uuid as string)?.["bytes"] as Uint8Array;
      update.run(Buffer.from(cheapWork(Buffer.from(bytes).toString())), uuid as string);
      out.run(uuid as string);
      acknowledge.run(id as number);
    }
    database.exec("COMMIT");
  }
  process.send?.("done");
});
