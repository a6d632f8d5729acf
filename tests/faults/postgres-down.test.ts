import { setTimeout as sleep } from "node:timers/promises";
import { type PostgresServer, startPostgres } from "@vcon-server/core/testing/servers/postgres";
import { test } from "vitest";
import { FAULT_TEST_MS, type Fault, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld, type World } from "../stage/world.ts";

const DOWN_MS = scaled(4_000, 120_000);

/** Takes Postgres away under load. Counts only when the other storage went on receiving meanwhile. */
const stopPostgres = ({ stage }: World, postgres: PostgresServer): Fault => ({
  name: "postgres down",
  async inject() {
    await postgres.kill();
    const [file] = stage.storages;
    const atFirst = (await file?.uuids())?.length ?? 0;
    await sleep(DOWN_MS);
    const meanwhile = ((await file?.uuids())?.length ?? 0) - atFirst;
    await postgres.start();
    if (meanwhile < DOWN_MS / 100)
      throw new Error(`while Postgres was down only ${meanwhile} vCons reached the file storage`);
    return 1;
  },
});

/** Fault 7: one of two storages is away under load. */
test.concurrent.each(BACKENDS)(
  "%s: with Postgres down the other storage goes on, and Postgres catches up by itself",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const postgres = await startPostgres();
    const world = await makeWorld({ backend, servers: 1, slowMs: 20, postgres });
    try {
      await proveNothingLost({
        name: `${backend}, postgres down`,
        stage: world.stage,
        seed: 701,
        load: { atLeast: 300, perSecond: 80, connections: 8 },
        faults: [{ fault: stopPostgres(world, postgres), times: 1, pause: [800, 1000] }],
        bounds: { acknowledged: 300, faults: 1, redelivered: 0, most: { dead: 0, redelivered: 0 } },
      });
    } finally {
      await world.close();
      await postgres.stop();
    }
  },
);
