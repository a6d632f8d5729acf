import { type Call, defineStorage, namedOtherwise, type StoredVcon, secret, VconError } from "@vcon-server/core";
import { z } from "zod";
import { newestOf } from "../_shared/newest.ts";
import { readStored } from "../_shared/read-stored.ts";
import { checkTable } from "./check.ts";
import { openConnections, poolConfig } from "./connect.ts";
import { openTable } from "./open-table.ts";
import { columnsOf, rowOf, splitBySize, statementsFor } from "./rows.ts";
import { hostFault, urlFault } from "./server-url.ts";
import { createStatementRunner } from "./statement.ts";
import { namesOf, TABLE_NAME } from "./table.ts";

/** The server ended a statement that took too long. */
const ENDED = "57014";

export default defineStorage({
  name: "postgres",
  summary: "Keeps each vCon as a row of a PostgreSQL table, the document as JSONB.",
  options: z.strictObject({
    url: secret()
      .refine((url) => urlFault(url) === undefined, { error: ({ input }) => urlFault(String(input)) })
      .optional()
      .describe("Server, user and database as one URL; replaces `host`, `port`, `database`, `user` and `password`."),
    host: z
      .string()
      .min(1)
      .refine((host) => hostFault(host) === undefined, { error: ({ input }) => hostFault(String(input)) })
      .default("localhost")
      .describe("Name or address of the server, or the folder of its socket."),
    port: z.int().min(1).max(65_535).default(5432).describe("TCP port of the server."),
    database: z.string().min(1).default("vcon_db").describe("Name of the database."),
    user: z.string().min(1).default("postgres").describe("User to sign in as."),
    password: secret().optional().describe("Password of the user."),
    table_name: z
      .string()
      .regex(TABLE_NAME, "must be table or schema.table, of letters, digits and _ (48 at most)")
      .default("vcons")
      .describe("Table, or `schema.table`. Made with its indices when it is missing."),
    name: z
      .string()
      .min(1)
      .max(63)
      .optional()
      .describe("What the server's lists of connections show; `vcon-server` by default."),
    pool_size: z.int().min(1).max(100).default(5).describe("Connections at most, for each worker process."),
    ssl: z.boolean().default(false).describe("Whether to use TLS. The server's certificate is always checked."),
    ssl_ca: z.string().min(1).optional().describe("Certificate authority in PEM, where the system does not know it."),
    ssl_cert: z.string().min(1).optional().describe("Client certificate in PEM."),
    ssl_key: secret().optional().describe("Key of the client certificate in PEM."),
  }),
  hints: {
    ...namedOtherwise({ dbname: "database", db: "database", username: "user", table: "table_name", hosts: "host" }),
    connection_string: "write `url: postgres://…`",
    sslmode: "write `ssl: true`",
  },
  dependencies: { pg: () => import("pg") },
  open({ options, deps, log }) {
    const connections = openConnections(new deps.pg.Pool(poolConfig(options)), log);
    const names = namesOf(options.table_name);
    const statements = statementsFor(names);
    const runStatement = createStatementRunner(log);
    const { asked, close } = openTable({ connections, names, log });

    async function saveTogether(docs: readonly StoredVcon[], call: Call): Promise<void> {
      const doing = docs.length === 1 ? `saving ${docs[0]?.uuid}` : `saving ${docs.length} vCons`;
      try {
        await asked(doing, call, (client) => runStatement(client, statements.upsertMany, columnsOf(docs)));
      } catch (error) {
        const tookTooLong = error instanceof VconError && error.details["sqlstate"] === ENDED;
        if (!tookTooLong || docs.length === 1) throw error;
        // the same batch would take too long each time it is tried again
        const middle = Math.ceil(docs.length / 2);
        await saveTogether(docs.slice(0, middle), call);
        await saveTogether(docs.slice(middle), call);
      }
    }

    return {
      async save(doc, call) {
        await asked(`saving ${doc.uuid}`, call, (client) => runStatement(client, statements.upsert, rowOf(doc)));
      },
      async saveMany(docs, call) {
        for (const part of splitBySize(newestOf(docs))) await saveTogether(part, call);
      },
      async load(uuid, call) {
        const { rows } = await asked(`loading ${uuid}`, call, (client) =>
          runStatement<{ json: string }>(client, statements.load, [uuid]),
        );
        return rows[0] && readStored(`the row of ${uuid}`, rows[0].json);
      },
      async delete(uuid, call) {
        await asked(`deleting ${uuid}`, call, (client) => runStatement(client, statements.delete, [uuid]));
      },
      async check(call) {
        await asked("checking", call, (client) => checkTable(client, names, statements));
      },
      async close() {
        await close();
        await connections.close();
      },
    };
  },
});
