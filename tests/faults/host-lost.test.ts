import { test } from "vitest";
import { FAULT_TEST_MS } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { makeWorld } from "../stage/world.ts";
import { loseHost } from "./kinds.ts";

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
