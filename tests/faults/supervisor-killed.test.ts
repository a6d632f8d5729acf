import { test } from "vitest";
import { FAULT_TEST_MS, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld } from "../stage/world.ts";
import { killSupervisor } from "./kinds.ts";

/** Promise 2: the supervisor itself is killed; its children must not live on, and nothing is lost. */
test.concurrent.each(BACKENDS)(
  "%s: a supervisor killed under load takes its children with it and loses nothing",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const world = await makeWorld({ backend, slowMs: 100, env: { CONSERVER_GRACE_SECS: "2" } });
    try {
      const times = scaled(2, 20);
      await proveNothingLost({
        name: `${backend}, kill -9 supervisor`,
        stage: world.stage,
        seed: 1902,
        load: { atLeast: scaled(300, 5_000), perSecond: 120, connections: 8 },
        faults: [{ fault: killSupervisor(world), times, pause: [500, 1000] }],
        bounds: { acknowledged: scaled(300, 5_000), faults: times, redelivered: 0, most: { dead: 0 } },
      });
    } finally {
      await world.close();
    }
  },
);
