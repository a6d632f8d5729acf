import { openStorage, sampleVcon, stored, using } from "@vcon-server/core/testing";
import { type PgbouncerServer, startPgbouncer } from "@vcon-server/core/testing/servers/pgbouncer";
import { type PostgresServer, startPostgres } from "@vcon-server/core/testing/servers/postgres";
import type { Vcon } from "@vcon-server/vcon";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import postgres from "./index.ts";

let server: PostgresServer;
let sql: pg.Client;
beforeAll(async () => {
  server = await startPostgres();
  sql = new pg.Client({ connectionString: server.url });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await server.stop();
});

const call = { signal: new AbortController().signal };
const sampleMany = (count: number, subject: string): Vcon[] =>
  Array.from({ length: count }, () => sampleVcon({ subject }));

async function readSubjects(table: string): Promise<string[]> {
  const { rows } = await sql.query<{ subject: string }>(`SELECT subject FROM "${table}"`);
  return rows.map(({ subject }) => subject);
}

describe.each(["session", "transaction", "statement"] as const)("PgBouncer in %s mode", (poolMode) => {
  let bouncer: PgbouncerServer;
  beforeAll(async () => {
    // fewer connections than clients: they are shared; a session keeps its connection for itself
    const settings = { default_pool_size: poolMode === "session" ? "20" : "4" };
    bouncer = await startPgbouncer({ server, poolMode, settings });
  });
  afterAll(() => bouncer.stop());
  afterEach(async () => void (await sql.query("DROP TABLE IF EXISTS one, two")));

  const open = (table_name: string) => openStorage(postgres, { url: bouncer.url, table_name });

  test("two storages in one database keep their rows apart, each vCon is saved at its first try", async () => {
    await using(open("one"), (one) =>
      using(open("two"), async (two) => {
        const [first, second] = [sampleMany(100, "one"), sampleMany(100, "two")];
        // one after the other at first, so that connections are used by both; then many at a time
        for (let at = 0; at < 40; at++) {
          await one.save(stored(first[at]!), call);
          await two.save(stored(second[at]!), call);
        }
        await Promise.all([
          ...first.slice(40).map((vcon) => one.save(stored(vcon), call)),
          ...second.slice(40).map((vcon) => two.save(stored(vcon), call)),
        ]);
        expect(await readSubjects("one")).toEqual(first.map(() => "one"));
        expect(await readSubjects("two")).toEqual(second.map(() => "two"));
        for (const vcon of first.slice(0, 20)) {
          expect(await one.load?.(vcon.uuid, call)).toEqual(vcon);
          expect(await two.load?.(vcon.uuid, call)).toBeUndefined();
        }
      }),
    );
  });

  test("200 vCons of one storage are saved, in batches and one by one, loaded and deleted", async () => {
    await using(open("one"), async (storage) => {
      const vcons = sampleMany(200, "one");
      const batches = Array.from({ length: 10 }, (_, at) => vcons.slice(at * 10, at * 10 + 10));
      await Promise.all([
        ...batches.map((batch) =>
          storage.saveMany?.(
            batch.map((vcon) => stored(vcon)),
            call,
          ),
        ),
        ...vcons.slice(100).map((vcon) => storage.save(stored(vcon), call)),
      ]);
      expect(await Promise.all(vcons.map(({ uuid }) => storage.load?.(uuid, call)))).toEqual(vcons);
      await Promise.all(vcons.map(({ uuid }) => storage.delete?.(uuid, call)));
      expect(await readSubjects("one")).toEqual([]);
      await storage.check?.(call);
    });
  });
});

test("a table with missing indices gets them through PgBouncer, and nothing stays locked", async () => {
  const bouncer = await startPgbouncer({ server, poolMode: "transaction", settings: { default_pool_size: "4" } });
  try {
    await sql.query(`CREATE TABLE bare (id uuid PRIMARY KEY, vcon text NOT NULL, uuid uuid NOT NULL,
    created_at timestamp NOT NULL, updated_at timestamp, subject text, vcon_json jsonb)`);
    await using(openStorage(postgres, { url: bouncer.url, table_name: "bare" }), async (storage) => {
      await Promise.all(sampleMany(50, "bare").map((vcon) => storage.save(stored(vcon), call)));
      const countIndices = async () =>
        (await sql.query("SELECT count(*)::int AS count FROM pg_indexes WHERE tablename = 'bare'")).rows[0].count;
      await expect.poll(countIndices).toBe(4);
    });
    // were the lock left behind, making the table anew would wait for it
    await sql.query("DROP TABLE bare");
    await using(openStorage(postgres, { url: bouncer.url, table_name: "bare" }), async (storage) => {
      await storage.save(stored(sampleVcon({ subject: "again" })), call);
      expect(await readSubjects("bare")).toEqual(["again"]);
    });
  } finally {
    await bouncer.stop();
  }
});
