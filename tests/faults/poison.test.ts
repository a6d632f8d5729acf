import { expect, test } from "vitest";
import { FAULT_TEST_MS, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld } from "../stage/world.ts";

/** Fault 11: one vCon in so many ends the process that works on it. */
test.concurrent.each(BACKENDS)(
  "%s: poison is quarantined, its neighbours are not blamed",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const world = await makeWorld({
      backend,
      workers: backend === "redis" ? 1 : 2,
      slowMs: 30,
      more: [{ name: "poison", module: "./plugins/poison.ts" }],
    });
    try {
      const every = scaled(250, 1000);
      const poisoned = (index: number) => index % every === 120;
      const { ledger, dead } = await proveNothingLost({
        name: `${backend}, poison 1 in ${every}`,
        stage: world.stage,
        seed: 1101,
        load: {
          atLeast: scaled(450, 5_000),
          perSecond: 200,
          connections: 8,
          mark: (index) => (poisoned(index) ? "poison" : undefined),
        },
        faults: [],
        bounds: { acknowledged: scaled(450, 5_000), faults: 0, redelivered: 1 },
      });
      const letters = await world.stage.gateway.deadLetters(world.stage.ingress);
      const wanted = [...ledger.acknowledged].filter((uuid) => ledger.sent.get(uuid)?.mark === "poison");
      expect(letters.map(({ uuid }) => uuid).toSorted()).toEqual(wanted.toSorted());
      expect(new Set(letters.map(({ code }) => code))).toEqual(new Set(["VCON_POISON"]));
      expect(dead).toBeGreaterThan(0);
    } finally {
      await world.close();
    }
  },
);
