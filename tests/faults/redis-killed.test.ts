import { expect, test } from "vitest";
import { FAULT_TEST_MS, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { isAlive } from "../stage/processes.ts";
import { makeWorld } from "../stage/world.ts";
import { restartRedis } from "./kinds.ts";

/** Fault 3: Redis with `appendfsync always` ends under load, again and again, while every vCon also fails once. */
test.concurrent.each(["SIGKILL", "SIGTERM"] as const)(
  "%s of Redis loses nothing, ends no process of ours, and work resumes",
  { timeout: FAULT_TEST_MS },
  async (signal) => {
    const world = await makeWorld({
      backend: "redis",
      slowMs: 50,
      more: [{ name: "flaky", module: "./plugins/flaky.ts", options: { failures: 1 } }],
    });
    try {
      const processes = [...world.servers.values()].flatMap((server) => [
        server.pid,
        ...server.workers(),
        ...server.gateways(),
      ]);
      const times = scaled(4, 50);
      await proveNothingLost({
        name: `redis, ${signal} of redis-server`,
        stage: world.stage,
        seed: 303,
        load: { atLeast: scaled(400, 20_000), perSecond: 200, connections: 8 },
        faults: [{ fault: restartRedis(world, signal), times, pause: [400, 1200] }],
        bounds: { acknowledged: scaled(400, 20_000), faults: times, redelivered: 0, most: { dead: 0 } },
      });
      const ended = processes.filter((pid) => !isAlive(pid));
      expect(
        ended,
        world.stage
          .output()
          .match(/^.*(?:started again|cannot start|[Ee]rror: | {4}at ).*$/gm)
          ?.join("\n"),
      ).toEqual([]);
    } finally {
      await world.close();
    }
  },
);
