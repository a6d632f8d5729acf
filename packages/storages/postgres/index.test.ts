import type { StorageHandle } from "@vcon-server/core";
import { fixtureVcons, openStorage, sampleVcon, stored, testStorage, using } from "@vcon-server/core/testing";
import { type PostgresServer, startPostgres } from "@vcon-server/core/testing/servers/postgres";
import { indexOf, readTime, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { postgresFailure } from "./failures.ts";
import postgres from "./index.ts";
import { timeOf } from "./rows.ts";

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

const open = async (options: Record<string, unknown> = {}): Promise<StorageHandle> =>
  openStorage(postgres, { url: server.url, ...options });
const call = { signal: new AbortController().signal };

/** Opens a storage for one test. */
const withStorage = <T>(options: Record<string, unknown>, use: (storage: StorageHandle) => Promise<T>): Promise<T> =>
  using(open(options), use);

testStorage("postgres", () => open(), {
  unreachable: () => open({ url: "postgres://nobody@127.0.0.1:1/none" }),
});

test("table and indices are those of the contract", async () => {
  await withStorage({ table_name: "made" }, (storage) => storage.save(stored(sampleVcon()), call));
  const { rows: columns } = await sql.query(
    "SELECT column_name AS name, data_type AS type, is_nullable AS nullable FROM information_schema.columns WHERE table_name = 'made' ORDER BY ordinal_position",
  );
  expect(columns.map(({ name, type, nullable }) => `${name} ${type} ${nullable}`)).toEqual([
    "id uuid NO",
    "vcon text NO",
    "uuid uuid NO",
    "created_at timestamp without time zone NO",
    "updated_at timestamp without time zone YES",
    "subject text YES",
    "vcon_json jsonb NO",
  ]);
  const { rows: indices } = await sql.query(
    "SELECT indexname AS name FROM pg_indexes WHERE tablename = 'made' ORDER BY 1",
  );
  expect(indices.map(({ name }) => name)).toEqual([
    "idx_made_created_at",
    "idx_made_json",
    "idx_made_uuid",
    "made_pkey",
    "made_uuid_key",
  ]);
});

test("eight processes that start at once make one table", async () => {
  const storages = await Promise.all(Array.from({ length: 8 }, () => open({ table_name: "raced" })));
  await Promise.all(storages.map((storage) => storage.save(stored(sampleVcon()), call)));
  await Promise.all(storages.map((storage) => storage.close?.()));
  const { rows } = await sql.query("SELECT count(*)::int AS count FROM raced");
  expect(rows[0]).toEqual({ count: 8 });
});

test("a table of the Python server is used as it is and gets the indices it lacks", async () => {
  await sql.query(`CREATE TABLE "Old" (id uuid PRIMARY KEY, vcon text NOT NULL, uuid uuid NOT NULL, created_at timestamp NOT NULL,
    updated_at timestamp, subject text, vcon_json jsonb)`);
  await sql.query('CREATE INDEX old_vcon_json ON "Old" USING GIN (vcon_json)');
  const vcon = sampleVcon();
  await withStorage({ table_name: "Old" }, async (storage) => {
    await storage.save(stored(vcon), call);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    const names = async () =>
      (await sql.query("SELECT indexname AS name FROM pg_indexes WHERE tablename = 'Old' ORDER BY 1")).rows.map(
        ({ name }) => name,
      );
    await expect.poll(names).toEqual(["Old_pkey", "idx_Old_created_at", "idx_Old_uuid", "old_vcon_json"]);
  });
});

test("a schema may be named", async () => {
  await sql.query("CREATE SCHEMA archive");
  await withStorage({ table_name: "archive.vcons" }, async (storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    expect((await sql.query("SELECT subject FROM archive.vcons WHERE id = $1", [vcon.uuid])).rows).toHaveLength(1);
  });
});

test("columns hold UTC times, the version and the subject; what is missing has a stand-in", async () => {
  const full = sampleVcon({ created_at: "2026-01-02T01:00:00+05:30", subject: "Order 7" });
  const bare: Vcon = { uuid: sampleVcon().uuid, created_at: "in May" };
  await sql.query("ALTER DATABASE postgres SET TimeZone = 'America/New_York'");
  await withStorage({ table_name: "columns" }, async (storage) => {
    await storage.save(stored(full), call);
    await storage.saveMany?.([stored(bare), stored({ ...full, uuid: sampleVcon().uuid })], call);
  });
  const { rows } = await sql.query(
    `SELECT id, vcon, subject, created_at::text AS created, uuid = id AS same,
       abs(extract(epoch FROM updated_at - now() AT TIME ZONE 'UTC')) < 60 AS fresh,
       abs(extract(epoch FROM created_at - now() AT TIME ZONE 'UTC')) < 60 AS stamped
     FROM columns ORDER BY subject, id`,
  );
  expect(rows).toHaveLength(3);
  for (const row of rows.filter(({ id }) => id !== bare.uuid)) {
    expect(row).toMatchObject({
      vcon: "0.4.0",
      subject: "Order 7",
      created: "2026-01-01 19:30:00",
      same: true,
      fresh: true,
      stamped: false,
    });
  }
  expect(rows.find(({ id }) => id === bare.uuid)).toMatchObject({
    vcon: "",
    subject: null,
    same: true,
    fresh: true,
    stamped: true,
  });
});

test("a batch with the same vCon twice keeps the newest revision", async () => {
  await withStorage({}, async (storage) => {
    const vcon = sampleVcon({ subject: "old" });
    await storage.saveMany?.([stored({ ...vcon, subject: "new" }, 3), stored(vcon, 2)], call);
    expect((await storage.load?.(vcon.uuid, call))?.subject).toBe("new");
  });
});

test("a document that JSONB cannot hold is refused; its batch is not kept in part, and others are not blamed", async () => {
  await withStorage({}, async (storage) => {
    const [good, bad] = [sampleVcon(), sampleVcon({ subject: "nul \u0000" })];
    const refused = { code: "VCON_STORAGE_REFUSED", retryable: false, details: { sqlstate: "22021" } };
    await expect(storage.saveMany?.([stored(good), stored(bad)], call)).rejects.toMatchObject(refused);
    expect(await storage.load?.(good.uuid, call)).toBeUndefined();
    await expect(storage.save(stored(bad), call)).rejects.toMatchObject(refused);
    await storage.save(stored(good), call);
    expect(await storage.load?.(good.uuid, call)).toEqual(good);
  });
});

test("every vCon of the fixtures comes back as it was, signed and encrypted ones too", async () => {
  const vcons = fixtureVcons().map(({ vcon }) => vcon);
  await withStorage({ table_name: "fixtures" }, async (storage) => {
    await storage.saveMany?.(
      vcons.map((vcon) => stored(vcon)),
      call,
    );
    for (const vcon of vcons) expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  });
});

test("after the server was killed, the same storage works again as soon as it is back", async () => {
  const other = await startPostgres();
  await withStorage({ url: other.url }, async (storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    await other.kill();
    await expect(storage.save(stored(vcon), call)).rejects.toMatchObject({
      code: "VCON_STORAGE_DOWN",
      retryable: true,
    });
    await expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN", retryable: true });
    await other.start();
    await expect
      .poll(() => storage.save(stored(vcon), call).then(() => "saved", String), { timeout: 10_000 })
      .toBe("saved");
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    await sql.query("SELECT 1");
  });
  await other.stop();
});

test("a table that was dropped while the server runs is made again", async () => {
  await withStorage({ table_name: "dropped" }, async (storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    await sql.query("DROP TABLE dropped");
    await expect(storage.save(stored(vcon), call)).rejects.toMatchObject({
      code: "VCON_STORAGE_DOWN",
      details: { sqlstate: "42P01" },
    });
    await storage.save(stored(vcon), call);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  });
});

test("a call that waits for a lock ends when its time is over, and its connection is not used again", async () => {
  await withStorage({ pool_size: 1 }, async (storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    await sql.query("BEGIN");
    await sql.query("SELECT 1 FROM vcons WHERE id = $1 FOR UPDATE", [vcon.uuid]);
    const controller = new AbortController();
    const blocked = storage.save(stored({ ...vcon, subject: "late" }, 2), { signal: controller.signal });
    const waiting = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    await expect.poll(async () => (await sql.query(waiting)).rows[0]?.count).toBe(1);
    controller.abort(new Error("out of time"));
    await expect(blocked).rejects.toThrow("out of time");
    const other = sampleVcon();
    await storage.save(stored(other), call);
    await sql.query("ROLLBACK");
    expect(await storage.load?.(other.uuid, call)).toEqual(other);
  });
});

test("what the server says decides whether trying again helps, and what is advised", () => {
  const situation = { doing: "saving", table: '"vcons"', isMaking: false, facts: undefined };
  const reply = (code: string) => Object.assign(new Error("said"), { severity: "ERROR", code });
  const failures = {
    "22P02": ["REFUSED", /said$/],
    "22P05": ["REFUSED", /ENCODING 'UTF8'/],
    "23505": ["REFUSED", /said$/],
    "54000": ["REFUSED", /said$/],
    "53100": ["DOWN", /disk/],
    "57014": ["DOWN", /statement_timeout/],
    "57P01": ["DOWN", /shutting down/],
    "57P03": ["DOWN", /starting/],
    "57P04": ["DOWN", /dropped/],
    "40P01": ["DOWN", /tried again/],
    "28P01": ["DOWN", /password/],
  } as const;
  for (const [state, [kind, advice]] of Object.entries(failures)) {
    const { code, message } = postgresFailure(reply(state), situation);
    expect(code).toBe(`VCON_STORAGE_${kind}`);
    expect(message).toMatch(advice);
  }
  const refused = new AggregateError([new Error("connect ECONNREFUSED ::1:5432")]);
  expect(postgresFailure(refused, situation).message).toContain("ECONNREFUSED");
});

const AT = "2026-09-14 08:30:00";
test.each([
  ["2026-09-14T08:30:00", AT],
  ["2026-09-14T08:30:00,250+05", "2026-09-14 03:30:00.25"],
  ["2026-09-14", "2026-09-14 00:00:00"],
  ["Mon, 14 Sep 2026 10:30:00 +0200 (CEST)", AT],
  ["14 Sep 2026 08:30:00", AT],
  ["2016-12-31T23:59:60Z", "2017-01-01 00:00:00"],
  ["2016-12-31T23:59:59.99999999999999999999Z", "2016-12-31 23:59:59.999"],
  [Date.UTC(2026, 8, 14, 8, 30), AT],
  [Date.UTC(2026, 8, 14, 8, 30) / 1000, AT],
])("created_at %j is %s in UTC wherever the server runs, as in the index", async (created_at, expected) => {
  const zone = process.env["TZ"];
  process.env["TZ"] = "America/New_York";
  try {
    await withStorage({ table_name: "dates" }, async (storage) => {
      const vcon = { ...sampleVcon(), created_at } as Vcon;
      await storage.save(stored(vcon), call);
      const { rows } = await sql.query(
        "SELECT created_at::text AS text, floor(extract(epoch FROM created_at))::int AS seconds FROM dates WHERE id = $1",
        [vcon.uuid],
      );
      expect(rows).toEqual([{ text: expected, seconds: indexOf(vcon).createdAt }]);
    });
  } finally {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  }
});

test("every date is either null or what PostgreSQL reads as the same instant", async () => {
  const dates = fc.sample(
    fc.oneof(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      fc.string(),
      fc.integer(),
      fc.double(),
    ),
    300,
  );
  const times = dates.map(timeOf);
  expect(times.filter((time) => time !== null).length).toBeGreaterThan(50);
  const { rows } = await sql.query(
    "SELECT extract(epoch FROM t)::float8 AS epoch FROM unnest($1::timestamptz[]) AS t",
    [times],
  );
  times.forEach((time, index) => {
    if (time === null) expect(rows[index].epoch).toBeNull();
    else expect(rows[index].epoch).toBeCloseTo(Math.floor(readTime(dates[index]) ?? 0) / 1000, 2);
  });
});

test.each([
  [{ table_name: 'vcons"; DROP TABLE vcons; --' }, /table/],
  [{ url: "postgres://u@h/db?sslmode=no-verify" }, /ssl/],
  [{ url: "mysql://u@h/db" }, /postgres/],
  [{ hosst: "x" }, /hosst/],
])("%o is refused", (options, message) => {
  expect(() => postgres.options.parse(options)).toThrow(message);
});
