import { sampleVcon } from "@vcon-server/core/testing";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { startPgbouncer } from "@vcon-server/core/testing/servers/pgbouncer";
import { startPostgres } from "@vcon-server/core/testing/servers/postgres";
import { expect, test } from "vitest";
import type { Delivery } from "../bad-input/deployment.ts";
import { makeFolder } from "../stage/folder.ts";
import { postgresRows } from "../stage/rows.ts";
import { startServer } from "../stage/server.ts";

const TABLES = ["one", "two"] as const;
const COUNT = 100;

/** Two storages in one database, behind the pooler of Debian, which shares connections among them and among workers. */
test.each(["transaction", "statement"] as const)(
  "PgBouncer in %s mode: every vCon is in the table of its storage, and nothing is pending",
  async (poolMode) => {
    const database = await startPostgres();
    const bouncer = await startPgbouncer({ server: database, poolMode, settings: { default_pool_size: "3" } });
    const folder = makeFolder(() => ({
      storages: Object.fromEntries(
        TABLES.map((table) => [table, { module: "postgres", options: { url: bouncer.url, table_name: table } }]),
      ),
      chains: Object.fromEntries(
        TABLES.map((table) => [table, { ingress_lists: [`${table}_in`], links: [], storages: [table] }]),
      ),
    }));
    const server = await startServer({
      verb: "start",
      port: await freePort(),
      folder: folder.path,
      configFile: folder.configFile,
      env: { CONSERVER_WORKERS: "2" },
    });
    try {
      const sent = TABLES.map((table) => ({ table, vcons: Array.from({ length: COUNT }, () => sampleVcon()) }));
      const posts = sent.flatMap(({ table, vcons }) => vcons.map((vcon) => ({ table, vcon })));
      for (let at = 0; at < posts.length; at += 20) {
        const answers = posts.slice(at, at + 20).map(({ table, vcon }) =>
          fetch(`${server.url}/api/vcon?ingress_lists=${table}_in`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(vcon),
          }),
        );
        for (const { status } of await Promise.all(answers)) expect(status).toBe(201);
      }
      for (const { table, vcons } of sent) {
        const stored = postgresRows(database.url, table);
        await expect.poll(async () => (await stored.uuids()).length, { timeout: 20_000 }).toBe(COUNT);
        expect((await stored.uuids()).toSorted()).toEqual(vcons.map(({ uuid }) => uuid).toSorted());
      }
      for (const { vcon } of posts) {
        const pending = async () => {
          const answer = await fetch(`${server.url}/api/vcon/${vcon.uuid}/deliveries`);
          const deliveries = Object.values((await answer.json()) as Readonly<Record<string, Delivery>>);
          return deliveries.filter(({ want, done }) => done === null || Number(done) < Number(want));
        };
        await expect.poll(pending).toEqual([]);
      }
      // nothing failed on the way, not even once
      expect(server.output()).not.toMatch(/VCON_STORAGE|prepared statement "/);
    } finally {
      await server.stop();
      await bouncer.stop();
      await database.stop();
      folder.remove();
    }
  },
);
