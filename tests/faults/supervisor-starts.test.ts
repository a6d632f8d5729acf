import { test } from "vitest";
import { FAULT_TEST_MS, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld } from "../stage/world.ts";
import { killStartingSupervisor } from "./kinds.ts";

/** Children that start while their supervisor dies must notice it, however little of them is there yet. */
test.concurrent.each(BACKENDS)(
  "%s: a supervisor killed while it starts leaves no child, and loses nothing",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const world = await makeWorld({ backend, servers: 1, slowMs: 20, env: { CONSERVER_GRACE_SECS: "2" } });
    try {
      const times = scaled(4, 100);
      await proveNothingLost({
        name: `${backend}, kill -9 supervisor at start`,
        stage: world.stage,
        seed: 2603,
        load: { atLeast: scaled(200, 2_000), perSecond: 120, connections: 8 },
        faults: [{ fault: killStartingSupervisor(world, times), times: 1, pause: [500, 1000] }],
        bounds: { acknowledged: scaled(200, 2_000), faults: times, redelivered: 0, most: { dead: 0 } },
      });
    } finally {
      await world.close();
    }
  },
);
