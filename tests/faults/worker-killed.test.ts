import { expect, test } from "vitest";
import { FAULT_TEST_MS, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld } from "../stage/world.ts";
import { killBusyWorker, loseHost } from "./kinds.ts";

/** Fault 1: with 64 vCons in flight in each of two workers, SIGKILLs at seeded moments. */
test.each(BACKENDS)(
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

/** Promise 2 across hosts: a machine vanishes with all its processes, and nobody there can give anything back. */
test("redis: the work of a host that vanishes is taken over by another", { timeout: FAULT_TEST_MS }, async () => {
  const world = await makeWorld({ backend: "redis", slowMs: 1200 });
  try {
    await proveNothingLost({
      name: "redis, host lost",
      stage: world.stage,
      seed: 102,
      load: { atLeast: 300, perSecond: 150, connections: 16 },
      faults: [{ fault: loseHost(world, 24), times: 1, pause: [300, 600] }],
      bounds: { acknowledged: 300, faults: 1, redelivered: 20, most: { dead: 0 } },
      settleWithin: 30_000,
    });
  } finally {
    await world.close();
  }
});
