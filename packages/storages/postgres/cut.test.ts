import { openStorage, sampleVcon, stored, using } from "@vcon-server/core/testing";
import { startCuttingProxy } from "@vcon-server/core/testing/servers/cutting-proxy";
import { type PostgresServer, startPostgres } from "@vcon-server/core/testing/servers/postgres";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import postgres from "./index.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const call = { signal: new AbortController().signal };

test("connections that were cut while they rested are replaced without a failed call", async () => {
  const proxy = await startCuttingProxy(server.port);
  await using(
    openStorage(postgres, { url: `postgres://postgres@127.0.0.1:${proxy.port}/postgres` }),
    async (storage) => {
      const vcons = Array.from({ length: 20 }, () => sampleVcon());
      // all connections of the pool have been used, and all are cut
      await Promise.all(vcons.map((vcon) => storage.save(stored(vcon), call)));
      proxy.forget();
      await Promise.all(vcons.map((vcon) => storage.save(stored({ ...vcon, subject: "again" }, 2), call)));
      proxy.forget();
      for (const { uuid } of vcons) expect((await storage.load?.(uuid, call))?.subject).toBe("again");
      proxy.forget();
      await storage.delete?.(vcons[0]!.uuid, call);
      await proxy.stop();
      await expect(storage.save(stored(vcons[0]!), call)).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN" });
    },
  );
});

test("sessions that the server ends are replaced without a failed call", async () => {
  const sql = new pg.Client({ connectionString: server.url });
  await sql.connect();
  await using(openStorage(postgres, { url: server.url, name: "resting" }), async (storage) => {
    for (let round = 0; round < 10; round++) {
      const vcons = Array.from({ length: 10 }, () => sampleVcon());
      await Promise.all(vcons.map((vcon) => storage.save(stored(vcon), call)));
      const ended = sql.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'resting'",
      );
      await Promise.all([ended, ...vcons.map(({ uuid }) => storage.load?.(uuid, call))]);
    }
  });
  await sql.end();
});
