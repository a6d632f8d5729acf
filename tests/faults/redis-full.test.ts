import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { contentOf } from "../oracle/content.ts";
import { FAULT_TEST_MS, type Fault, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { EGRESS, INGRESS } from "../stage/pipeline.ts";
import { makeWorld, type World } from "../stage/world.ts";
import { until } from "./kinds.ts";

const MAX_BYTES = scaled(48, 256) * 1024 * 1024;
const BALLAST = Buffer.alloc(128 * 1024, "b");

/** Writes until Redis refuses, in ever smaller pieces. Returns how much that took. */
async function fill(redis: Redis): Promise<number> {
  let pieces = 0;
  for (let size = BALLAST.length; size >= 16; ) {
    const refused = await redis.set(`ballast:${pieces}`, BALLAST.subarray(0, size)).then(
      () => false,
      (error: Error) => /OOM/.test(error.message) || Promise.reject(error),
    );
    if (refused) size = Math.floor(size / 4);
    else pieces++;
  }
  return pieces;
}

async function refusedIntake(world: World): Promise<void> {
  const [url] = world.stage.urls();
  const body = JSON.stringify(contentOf({ seed: 501, index: 9_999_999, mark: undefined }));
  const answer = await fetch(`${url}/api/vcon?ingress_lists=${INGRESS}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  expect(answer.status, await answer.text()).toBe(503);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
}

/** Fills Redis while vCons wait; starts the worker only then; makes room when the queue is empty. */
const fullWhileDraining = (world: World): Fault => ({
  name: "redis at maxmemory",
  async inject() {
    const redis = new Redis(world.redis?.url ?? "");
    try {
      await until("enough vCons are waiting", async () => (await redis.llen(INGRESS)) >= 150);
      const pieces = await fill(redis);
      await refusedIntake(world);
      const waiting = await redis.llen(INGRESS);
      await world.start(1, "worker");
      // at 100 % all the while: whatever a drained vCon frees is taken again
      await until("the waiting vCons have left", async () => {
        await fill(redis);
        return (await redis.llen(EGRESS)) >= waiting;
      });
      await refusedIntake(world);
      const keys = await redis.keys("ballast:*");
      if (keys.length > 0) await redis.del(keys);
      return pieces > 0 ? 1 : 0;
    } finally {
      redis.disconnect();
    }
  },
});

/** Fault 5: Redis at maxmemory refuses what comes in, and what is in goes on. */
test("Redis at maxmemory: intake answers 503 with Retry-After, draining goes on", {
  timeout: FAULT_TEST_MS,
}, async () => {
  const redis = { maxmemory: String(MAX_BYTES) };
  const world = await makeWorld({ backend: "redis", servers: 1, verb: "api", slowMs: 5, redis });
  try {
    await proveNothingLost({
      name: "redis at maxmemory",
      stage: world.stage,
      seed: 501,
      load: { atLeast: 300, perSecond: 200, connections: 8 },
      faults: [{ fault: fullWhileDraining(world), times: 1, pause: [0, 10] }],
      bounds: { acknowledged: 300, faults: 1, redelivered: 0, most: { dead: 0, redelivered: 0 } },
    });
  } finally {
    await world.close();
  }
});
