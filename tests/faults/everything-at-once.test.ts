import { test } from "vitest";
import { FAULT_TEST_MS, type FaultPlan, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld, type World } from "../stage/world.ts";
import { killBusyWorker, killGateway, restartRedis } from "./kinds.ts";

const plans = (world: World): FaultPlan[] => [
  { fault: killBusyWorker(world, 3), times: scaled(4, 100), pause: [100, 900] },
  { fault: killGateway(world), times: scaled(2, 50), pause: [300, 1200] },
  ...(world.redis
    ? [{ fault: restartRedis(world, "SIGKILL"), times: scaled(2, 50), pause: [300, 1500] } as const]
    : []),
];

/** Faults 1, 2 and 3 together, each at its own moments: what one leaves half-done meets the next. */
test.concurrent.each(BACKENDS)(
  "%s: workers, gateways and Redis killed at the same time lose nothing",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const world = await makeWorld({ backend, workers: backend === "redis" ? 1 : 2, slowMs: 60 });
    try {
      const faults = plans(world);
      await proveNothingLost({
        name: `${backend}, everything at once`,
        stage: world.stage,
        seed: 100,
        load: { atLeast: scaled(300, 10_000), perSecond: 150, connections: 16 },
        faults,
        bounds: {
          acknowledged: scaled(300, 10_000),
          faults: faults.reduce((sum, { times }) => sum + times, 0),
          redelivered: 3,
          most: { dead: 0 },
        },
      });
    } finally {
      await world.close();
    }
  },
);
