import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { type PostgresServer, startPostgres } from "@vcon-server/core/testing/servers/postgres";
import { test } from "vitest";
import { FAULT_TEST_MS, type Fault, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import type { Step } from "../stage/pipeline.ts";
import { BACKENDS, makeWorld, type World } from "../stage/world.ts";
import { until } from "./kinds.ts";

const EXPIRE_SECS = 1;
const AWAY_MS = scaled(2_000, 60_000);
const expire: Step = { name: "expire_vcon", module: "expire_vcon", options: { seconds: EXPIRE_SECS } };

/** Takes Postgres away for longer than the copies are to live; `meanwhile` returns what it has hit. */
const whilePostgresIsAway = (postgres: PostgresServer, meanwhile: () => Promise<number>): Fault => ({
  name: "postgres away",
  async inject(_, { acknowledged }) {
    await postgres.kill();
    const before = acknowledged.size;
    await until("vCons taken in meanwhile", () => acknowledged.size > before + 20);
    await sleep(AWAY_MS);
    const hits = await meanwhile();
    await postgres.start();
    return hits;
  },
});

/** An expiry that counts on storages being there: copies that a link lets expire while a storage is away for longer. */
test.concurrent.each(BACKENDS)(
  "%s: an expiry shorter than the outage of a storage loses nothing",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const postgres = await startPostgres();
    const world = await makeWorld({ backend, servers: 1, slowMs: 5, postgres, more: [expire] });
    try {
      await proveNothingLost({
        name: `${backend}, expiry during an outage`,
        stage: world.stage,
        seed: 3001,
        load: { atLeast: 100, perSecond: 40, connections: 8 },
        faults: [{ fault: whilePostgresIsAway(postgres, async () => 1), times: 1, pause: [500, 800] }],
        bounds: { acknowledged: 100, faults: 1, redelivered: 0, most: { dead: 0, redelivered: 0 } },
      });
    } finally {
      await world.close();
      await postgres.stop();
    }
  },
);

/** Removes or damages every working copy there is, as another program, an eviction or a bad disk would. */
async function loseAllCopies({ redis, folder, stop, start }: World): Promise<number> {
  if (redis) {
    const keys = (await redis.cli("keys", "vcon:*")).split("\n").filter(Boolean);
    return Number(await redis.cli("del", ...keys));
  }
  await stop(0);
  const db = new DatabaseSync(join(folder.path, "data", "backend.sqlite"));
  const damaged = db.prepare("UPDATE bodies SET crc = (crc + 1) % 4294967296").run().changes;
  db.close();
  await start(0);
  return Number(damaged);
}

/** Working copies that go some other way: copies that are lost while a delivery or a list entry still needs them. */
test.concurrent.each(BACKENDS)(
  "%s: a working copy that is lost while it is needed is a dead letter with the reason",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const postgres = await startPostgres();
    const world = await makeWorld({ backend, servers: 1, slowMs: 5, postgres });
    try {
      await proveNothingLost({
        name: `${backend}, lost copies`,
        stage: world.stage,
        seed: 3101,
        load: { atLeast: 100, perSecond: 40, connections: 8 },
        faults: [{ fault: whilePostgresIsAway(postgres, () => loseAllCopies(world)), times: 1, pause: [500, 800] }],
        bounds: { acknowledged: 100, faults: 20, redelivered: 0 },
      });
    } finally {
      await world.close();
      await postgres.stop();
    }
  },
);
