import { expect, test } from "vitest";
import { FAULT_TEST_MS, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld } from "../stage/world.ts";

const LINK_TIMEOUT_SECS = 1;

/** Fault 10: promises that never settle in one link, `while (true)` in the next. */
test.concurrent.each(BACKENDS)(
  "%s: links that hang or spin are ended, tried again and dead-lettered; the others go on",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const world = await makeWorld({
      backend,
      workers: backend === "redis" ? 1 : 2,
      slowMs: 20,
      maxAttempts: 2,
      more: ["hang", "spin"].map((name) => ({ name, module: `./plugins/${name}.ts`, timeout: LINK_TIMEOUT_SECS })),
    });
    try {
      const mark = (index: number) => (index === 60 ? "spin" : index % 25 === 10 ? "hang" : undefined);
      const { ledger } = await proveNothingLost({
        name: `${backend}, links that hang and spin`,
        stage: world.stage,
        seed: 1001,
        load: { atLeast: scaled(300, 5_000), perSecond: 150, connections: 8, mark },
        faults: [],
        bounds: { acknowledged: scaled(300, 5_000), faults: 0, redelivered: 0 },
      });
      const letters = await world.stage.gateway.deadLetters(world.stage.ingress);
      const codes = (wanted: string) => {
        const marked = letters.filter(({ uuid }) => ledger.sent.get(uuid)?.mark === wanted);
        return { count: marked.length, codes: [...new Set(marked.map(({ code }) => code))] };
      };
      const sent = (wanted: string) =>
        [...ledger.acknowledged].filter((uuid) => ledger.sent.get(uuid)?.mark === wanted).length;
      expect(letters).toHaveLength(sent("hang") + sent("spin"));
      expect(codes("hang")).toEqual({ count: sent("hang"), codes: ["VCON_LINK_TIMEOUT"] });
      expect(codes("spin")).toEqual({ count: 1, codes: ["VCON_POISON"] });
    } finally {
      await world.close();
    }
  },
);
