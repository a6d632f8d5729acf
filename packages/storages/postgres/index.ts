import { defineStorage, secret } from "@vcon-server/core";
import { z } from "zod";
import { readStored } from "../_shared/read-stored.ts";
import { openConnections, poolConfig } from "./connect.ts";
import { openTable } from "./open-table.ts";
import { columnsOf, rowOf, statementsFor } from "./rows.ts";
import { namesOf, TABLE_NAME } from "./table.ts";

export default defineStorage({
  name: "postgres",
  summary: "Keeps each vCon as a row of a PostgreSQL table, the document as JSONB.",
  options: z.strictObject({
    url: secret()
      .refine((url) => /^postgres(?:ql)?:\/\//.test(url), "must begin with postgres://")
      .refine((url) => !/[?&]ssl/.test(url), "must not set TLS: use the options ssl, ssl_ca, ssl_cert and ssl_key")
      .optional()
      .describe("Server, user and database as one URL; replaces `host`, `port`, `database`, `user` and `password`."),
    host: z
      .string()
      .min(1)
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
  dependencies: { pg: () => import("pg") },
  open({ options, deps, log }) {
    const connections = openConnections(new deps.pg.Pool(poolConfig(options)), log);
    const names = namesOf(options.table_name);
    const statements = statementsFor(names);
    const { asked, close } = openTable({ connections, names, log });

    return {
      async save(doc, call) {
        const query = { name: "vcon_upsert", text: statements.upsert, values: [...rowOf(doc)] };
        await asked(`saving ${doc.uuid}`, call, (client) => client.query(query));
      },
      async saveMany(docs, call) {
        const query = { name: "vcon_upsert_many", text: statements.upsertMany, values: columnsOf(docs) };
        await asked(`saving ${docs.length} vCons`, call, (client) => client.query(query));
      },
      async load(uuid, call) {
        const query = { name: "vcon_load", text: statements.load, values: [uuid] };
        const { rows } = await asked(`loading ${uuid}`, call, (client) => client.query<{ json: string }>(query));
        return rows[0] && readStored(`the row of ${uuid}`, rows[0].json);
      },
      async delete(uuid, call) {
        const query = { name: "vcon_delete", text: statements.delete, values: [uuid] };
        await asked(`deleting ${uuid}`, call, (client) => client.query(query));
      },
      async check(call) {
        await asked("asking for a row", call, (client) => client.query(`SELECT 1 FROM ${names.table} LIMIT 1`));
      },
      async close() {
        await close();
        await connections.close();
      },
    };
  },
});
