import type { StorageHandle } from "@vcon-server/core";
import { openStorage, sampleVcon, stored, using } from "@vcon-server/core/testing";
import { type PostgresServer, startPostgres } from "@vcon-server/core/testing/servers/postgres";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

interface Where {
  readonly user?: string;
  readonly database?: string;
  readonly port?: number;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Opens a storage as a user of a database, and collects what it warns of. */
async function withStorage(
  { user = "postgres", database = "postgres", port = server.port, options = {} }: Where,
  use: (storage: StorageHandle, warnings: readonly string[]) => Promise<void>,
): Promise<void> {
  const warnings: string[] = [];
  const ignore = () => undefined;
  const log = { debug: ignore, info: ignore, error: ignore, warn: (message: string) => void warnings.push(message) };
  const opening = openStorage(postgres, { host: server.host, port, user, database, ...options }, { log });
  await using(opening, (storage) => use(storage, warnings));
}

const saveOne = (storage: StorageHandle) => storage.save(stored(sampleVcon()), call);

/** A failure that passes once the message's advice is followed. */
const down = (message: RegExp) => ({
  code: "VCON_STORAGE_DOWN",
  retryable: true,
  message: expect.stringMatching(message),
});

describe("a server that only reads", () => {
  test("a hot standby: check and saving name it, loading goes on", async () => {
    const vcon = sampleVcon();
    await withStorage({}, (storage) => storage.save(stored(vcon), call));
    const standby = await startPostgres({ standbyOf: server });
    try {
      await withStorage({ port: standby.port }, async (storage, warnings) => {
        expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
        expect(warnings).toEqual([expect.stringMatching(/nothing can be saved.*standby.*primary/)]);
        await expect(storage.check?.(call)).rejects.toMatchObject(down(/standby.*primary/));
        await expect(saveOne(storage)).rejects.toMatchObject(down(/standby.*primary/));
      });
      await withStorage({ port: standby.port, options: { table_name: "missing" } }, async (storage) => {
        await expect(storage.check?.(call)).rejects.toMatchObject(down(/standby.*primary/));
      });
    } finally {
      await standby.stop();
    }
  });

  test("default_transaction_read_only: told, and over as soon as it is switched off, on old connections too", async () => {
    await sql.query("CREATE ROLE reader LOGIN; GRANT CREATE ON SCHEMA public TO reader");
    await withStorage({ user: "reader", options: { table_name: "readers", pool_size: 1 } }, async (storage) => {
      await saveOne(storage);
      await sql.query("ALTER ROLE reader SET default_transaction_read_only = on");
      await sql.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'");
      await expect(storage.check?.(call)).rejects.toMatchObject(down(/default_transaction_read_only.*switch it off/));
      await expect(saveOne(storage)).rejects.toMatchObject(down(/default_transaction_read_only.*switch it off/));
      await sql.query("ALTER ROLE reader RESET default_transaction_read_only");
      // what was connected meanwhile goes on reading only; a new connection does not
      await saveOne(storage);
      await storage.check?.(call);
    });
  });
});

test("a LATIN1 database: told at the start and by check; a vCon with a euro sign is refused with the remedy", async () => {
  await sql.query("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  await withStorage({ database: "latin" }, async (storage, warnings) => {
    await storage.save(stored(sampleVcon({ subject: "Müller" })), call);
    expect(warnings).toEqual([expect.stringMatching(/LATIN1.*ENCODING 'UTF8'/)]);
    const remedy = { code: "VCON_STORAGE_REFUSED", message: expect.stringMatching(/LATIN1.*ENCODING 'UTF8'/) };
    await expect(storage.check?.(call)).rejects.toMatchObject(remedy);
    const euro = stored(sampleVcon({ subject: "5 €" }));
    await expect(storage.save(euro, call)).rejects.toMatchObject({ ...remedy, retryable: false });
    await expect(storage.saveMany?.([euro, stored(sampleVcon())], call)).rejects.toMatchObject(remedy);
  });
});

describe("rights and schemas", () => {
  test("a user that may not create tables in public: the schema, the user and the ways out are named", async () => {
    await sql.query("CREATE ROLE plain LOGIN");
    await withStorage({ user: "plain", options: { table_name: "plains" } }, async (storage) => {
      const advice = /preparing the table "plains".*GRANT USAGE, CREATE ON SCHEMA public TO plain.*README.*table_name/;
      await expect(saveOne(storage)).rejects.toMatchObject(down(advice));
      await expect(storage.check?.(call)).rejects.toMatchObject(down(advice));
      await sql.query("GRANT USAGE, CREATE ON SCHEMA public TO plain");
      await saveOne(storage);
    });
  });

  test("a schema that may not be used, and one that does not exist", async () => {
    await sql.query("CREATE SCHEMA closed");
    await withStorage({ user: "plain", options: { table_name: "closed.vcons" } }, (storage) =>
      expect(saveOne(storage)).rejects.toMatchObject(down(/GRANT USAGE, CREATE ON SCHEMA "closed" TO plain/)),
    );
    await withStorage({ user: "plain", options: { table_name: "nowhere.vcons" } }, (storage) =>
      expect(saveOne(storage)).rejects.toMatchObject(down(/CREATE SCHEMA "nowhere" AUTHORIZATION plain.*table_name/)),
    );
  });

  test("a search_path that names no schema", async () => {
    await sql.query("CREATE ROLE lost LOGIN; ALTER ROLE lost SET search_path = nowhere");
    await withStorage({ user: "lost" }, (storage) =>
      expect(saveOne(storage)).rejects.toMatchObject(
        down(/search_path of lost.*table_name, such as public\.vcons.*ALTER ROLE lost SET search_path/),
      ),
    );
  });

  test("a table that the user may only read: check finds it, and the table is named", async () => {
    await withStorage({ options: { table_name: "shared" } }, saveOne);
    await sql.query("CREATE ROLE guest LOGIN; GRANT SELECT ON shared TO guest");
    await withStorage({ user: "guest", options: { table_name: "shared" } }, async (storage) => {
      const advice = /GRANT SELECT, INSERT, UPDATE, DELETE ON "shared" TO guest/;
      await expect(storage.check?.(call)).rejects.toMatchObject(down(advice));
      await expect(saveOne(storage)).rejects.toMatchObject(down(advice));
    });
  });

  test("a table of another program", async () => {
    await sql.query("CREATE TABLE other (id uuid PRIMARY KEY, name text)");
    await withStorage({ options: { table_name: "other" } }, async (storage) => {
      await expect(storage.check?.(call)).rejects.toMatchObject(down(/"other" is not a table of this storage/));
      await expect(saveOne(storage)).rejects.toMatchObject(down(/"other" is not a table of this storage/));
    });
  });
});

test("a batch that takes longer than statement_timeout is saved in smaller parts; one vCon that does is told so", async () => {
  await sql.query("CREATE ROLE hasty LOGIN; GRANT CREATE ON SCHEMA public TO hasty");
  await withStorage({ user: "hasty", options: { table_name: "slow" } }, async (storage) => {
    await saveOne(storage);
    await sql.query(`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(CASE new.subject WHEN ''slow'' THEN 2 ELSE 0.1 END); RETURN new; END'`);
    await sql.query("CREATE TRIGGER dawdle BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION dawdle()");
  });
  await sql.query("ALTER ROLE hasty SET statement_timeout = 500");
  await withStorage({ user: "hasty", options: { table_name: "slow" } }, async (storage) => {
    const vcons = Array.from({ length: 16 }, () => sampleVcon());
    await storage.saveMany?.(
      vcons.map((vcon) => stored(vcon)),
      call,
    );
    for (const vcon of vcons) expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    const advice = down(/statement_timeout/);
    await expect(storage.save(stored(sampleVcon({ subject: "slow" })), call)).rejects.toMatchObject(advice);
  });
});
