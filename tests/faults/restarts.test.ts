import { test } from "vitest";
import { FAULT_TEST_MS, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld } from "../stage/world.ts";
import { restartServer } from "./kinds.ts";

/** Fault 19: SIGTERM under load; where two servers share a Redis, one goes on while the other restarts. */
test.concurrent.each(BACKENDS)(
  "%s: rolling restarts end with exit code 0, lose nothing and repeat nothing",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const world = await makeWorld({ backend, slowMs: 100 });
    try {
      const times = scaled(3, 20);
      await proveNothingLost({
        name: `${backend}, rolling restarts`,
        stage: world.stage,
        seed: 1901,
        load: { atLeast: scaled(400, 5_000), perSecond: 150, connections: 8 },
        faults: [{ fault: restartServer(world), times, pause: [300, 800] }],
        bounds: { acknowledged: scaled(400, 5_000), faults: times, redelivered: 0, most: { dead: 0, redelivered: 0 } },
      });
    } finally {
      await world.close();
    }
  },
);
