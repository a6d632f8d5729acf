import { expect, test } from "vitest";
import { readEffects, redelivered } from "../oracle/effect-log.ts";
import { FAULT_TEST_MS, type Fault } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { BACKENDS, makeWorld, type World } from "../stage/world.ts";
import { busiest, until } from "./kinds.ts";

/** Freezes the busiest worker until others have begun some of its runs again: its lease ends after 8 s. */
const freezeWorker = (world: World): Fault => ({
  name: "SIGSTOP worker",
  async inject() {
    const { pid } = await busiest(world, 8);
    process.kill(pid, "SIGSTOP");
    try {
      const taken = () => redelivered(readEffects(world.folder.effectLog)).size;
      await until("another worker has taken over", () => taken() >= 5, 60_000);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    return 1;
  },
});

/** Fault 16: a worker sleeps past its lease and wakes up in the belief that its runs are still its own. */
test.concurrent.each(BACKENDS)(
  "%s: what a worker that lost its lease has made is refused",
  { timeout: FAULT_TEST_MS },
  async (backend) => {
    const world = await makeWorld({ backend, workers: backend === "redis" ? 1 : 2, slowMs: 500 });
    try {
      await proveNothingLost({
        name: `${backend}, lease lost`,
        // a late worker may begin an effect before it learns that it is late, so repeats are not counted here
        stage: { ...world.stage, effectSteps: [] },
        seed: 1601,
        load: { atLeast: 200, perSecond: 60, connections: 8 },
        faults: [{ fault: freezeWorker(world), times: 1, pause: [100, 300] }],
        bounds: { acknowledged: 200, faults: 1, redelivered: 5, most: { dead: 0 } },
      });
      const late = world.stage.output().match(/"message":"run dropped, its lease has moved on/g)?.length ?? 0;
      expect(late, "runs refused as late").toBeGreaterThan(0);
      const [archive] = world.stage.storages;
      const signatures = ((await archive?.rows()) ?? []).map(
        ({ document = {} }) => (document["analysis"] as readonly unknown[]).length,
      );
      expect(new Set(signatures), "signatures per vCon").toEqual(new Set([1]));
    } finally {
      await world.close();
    }
  },
);
