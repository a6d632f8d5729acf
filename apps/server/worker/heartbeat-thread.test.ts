import { once } from "node:events";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { readSettings } from "@vcon-server/core/config";
import { createWatch } from "@vcon-server/core/engine";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { expect, test } from "vitest";
import type { HeartbeatData } from "./heartbeat-thread.ts";

/** Longer than the thread takes to load and to give up its first attempt to connect. */
const OUTAGE_MS = 6_000;

test("a thread that starts while Redis is away does not end the process, and renews leases once Redis is back", async () => {
  const redis = await startRedis();
  const watch = createWatch();
  const { settings } = readSettings({ REDIS_URL: redis.url }, { cwd: tmpdir() });
  await redis.kill();
  const workerData: HeartbeatData = { settings, owner: "host:1:ab", lists: ["calls"], memory: watch.memory };
  const thread = new Worker(new URL("./heartbeat-thread.ts", import.meta.url), { workerData });
  const failed = once(thread, "error").then(
    ([error]) => ({ error }),
    (error: unknown) => ({ error }),
  );
  try {
    expect(await Promise.race([failed, sleep(OUTAGE_MS, "still running")])).toBe("still running");
    await redis.restart();
    await expect.poll(() => redis.cli("zcard", "vcs:{calls}:owners"), { timeout: 15_000 }).toBe("1");
  } finally {
    await thread.terminate();
    watch.stop();
    await redis.stop();
  }
});
