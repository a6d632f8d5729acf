import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { silent, VconError } from "@vcon-server/core";
import { type Backend, HEARTBEAT_MS } from "@vcon-server/core/backend";
import type { Settings } from "@vcon-server/core/config";
import { monotonic, stalledBy } from "@vcon-server/core/engine/watch";
import { connectBackend } from "../compose.ts";

/** What the thread is started with. */
export interface HeartbeatData {
  readonly settings: Settings;
  readonly owner: string;
  readonly lists: readonly string[];
  readonly memory: SharedArrayBuffer;
}

const CHECK_MS = 50;
const RETRY_MS = 200;
/** Milliseconds a link may be over its time before its process is ended: a timer in the process comes first. */
const SLACK_MS = 150;

const data: HeartbeatData = workerData;
let lists = data.lists;
parentPort?.on("message", (next: readonly string[]) => {
  lists = next;
});

/** The worker is already running when this thread connects: an outage at that moment is waited out, as any later one is. */
async function connectPatiently(): Promise<Backend> {
  for (;;) {
    try {
      return await connectBackend(data.settings, silent);
    } catch (error) {
      if (!(error instanceof VconError && error.retryable)) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** Keeps the leases of this process alive, also while a link blocks its event loop. */
async function beat(): Promise<never> {
  const backend = await connectPatiently();
  for (;;) {
    const kept = await backend.heartbeat(data.owner, lists).then(
      () => true,
      () => false,
    );
    await sleep(kept ? HEARTBEAT_MS : RETRY_MS);
  }
}

/** Ends the process when a link has blocked it past its time: nothing else can. */
async function watch(): Promise<never> {
  for (;;) {
    const culprit = stalledBy(data.memory, monotonic(), SLACK_MS);
    if (culprit !== undefined) {
      const line = {
        "log.level": "error",
        message: "a link blocks the process past its time; the process is ended",
        link: culprit,
      };
      writeSync(2, `${JSON.stringify(line)}\n`);
      process.kill(process.pid, "SIGKILL");
    }
    await sleep(CHECK_MS);
  }
}

await Promise.all([beat(), watch()]);
