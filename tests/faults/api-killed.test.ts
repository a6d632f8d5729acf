import { test } from "vitest";
import { FAULT_TEST_MS, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { orphans } from "../stage/orphans.ts";
import { BACKENDS, makeWorld } from "../stage/world.ts";
import { killGateway, until } from "./kinds.ts";

/** Fault 2: the gateway dies in the middle of requests; half of the requests without an answer are never repeated. */
test.concurrent.each(BACKENDS)(
  "%s: an API killed in the middle of requests leaves whole vCons or none",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const world = await makeWorld({ backend, servers: 1, slowMs: 5 });
    try {
      const times = scaled(6, 60);
      await proveNothingLost({
        name: `${backend}, kill -9 api`,
        stage: world.stage,
        seed: 202,
        load: { atLeast: scaled(400, 10_000), perSecond: 250, connections: 16, abandon: 0.5 },
        faults: [{ fault: killGateway(world), times, pause: [50, 300] }],
        bounds: { acknowledged: scaled(400, 10_000), faults: times, redelivered: 0, most: { dead: 0, redelivered: 0 } },
        async before({ sent, failures }) {
          if (failures.size === 0) throw new Error("proves nothing: no request was cut off");
          await until(
            "every vCon is whole or absent",
            async () => (await orphans(world.stage, sent)).length === 0,
            60_000,
          ).catch(async (error) => {
            throw new Error(`${error.message}:\n${(await orphans(world.stage, sent)).slice(0, 5).join("\n")}`);
          });
        },
      });
    } finally {
      await world.close();
    }
  },
);
