import { expect, test } from "vitest";
import { FAULT_TEST_MS, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld } from "../stage/world.ts";
import { killBusyWorker } from "./kinds.ts";

/** Fault 1: with 64 vCons in flight in each of two workers, SIGKILLs at seeded moments. */
test.concurrent.each(BACKENDS)(
  "%s: a worker killed in the middle of links loses nothing and resumes after its checkpoints",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const world = await makeWorld({ backend, workers: backend === "redis" ? 1 : 2, slowMs: 1200 });
    try {
      const times = scaled(4, 100);
      const counts = await proveNothingLost({
        name: `${backend}, kill -9 worker`,
        stage: world.stage,
        seed: 101,
        // a kill may hit the process that runs suspects together: then they run alone, 1.2 s each
        settleWithin: scaled(200_000, 1_200_000),
        load: { atLeast: scaled(600, 20_000), perSecond: 300, connections: 16 },
        faults: [{ fault: killBusyWorker(world, 48), times, pause: [300, 900] }],
        bounds: { acknowledged: scaled(600, 20_000), faults: times, redelivered: 20 * times, most: { dead: 0 } },
      });
      expect(counts.stored).toBeGreaterThanOrEqual(counts.acknowledged);
    } finally {
      await world.close();
    }
  },
);
