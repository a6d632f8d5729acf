import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { Worker } from "node:worker_threads";
import type { Logger } from "@vcon-server/core";
import type { ConfigSource, Plan, Settings } from "@vcon-server/core/config";
import { createRuntimes, createWatch, createWorker, type SuspectsMode } from "@vcon-server/core/engine";
import { openNetwork } from "@vcon-server/core/network";
import { systemClock } from "@vcon-server/core/resilience";
import { createEvents } from "@vcon-server/core/telemetry";
import { connectBackend } from "../compose.ts";
import { tell } from "../process/messages.ts";
import { logRuns, toEvents } from "./events.ts";
import type { HeartbeatData } from "./heartbeat-thread.ts";

export interface WorkerStart {
  readonly settings: Settings;
  readonly config: ConfigSource;
  readonly log: Logger;
  /** Runs suspects, in place of what waits in lists. */
  readonly suspects: SuspectsMode | undefined;
}

export interface RunningWorker {
  /** Stops claiming and lets runs finish within `grace` milliseconds. */
  stop(grace: number): void;
  readonly ended: Promise<void>;
}

/** The thread only renews leases: without a limit it would reserve as much memory as the worker itself. */
const THREAD_MEMORY = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 96 };

const listsOf = (plan: Plan) =>
  plan.chains.filter(({ enabled }) => enabled).flatMap(({ ingressLists }) => ingressLists);

/** Runs chains in this process until stopped. */
export async function startWorker({ settings, config, log, suspects }: WorkerStart): Promise<RunningWorker> {
  const owner = `${hostname()}:${process.pid}:${randomBytes(4).toString("hex")}`;
  // loading packages blocks this thread for a while: better before anything is claimed, or connected and watched
  const runtimes = await createRuntimes(config.plan, log, openNetwork(settings.allowedNetworks));
  await runtimes.current().storages.open();
  const backend = await connectBackend(settings, log);
  const watch = createWatch();
  const events = createEvents({ log });
  logRuns(events, log);
  const lists = new Set(listsOf(config.plan));
  tell({ type: "owner", owner, lists: [...lists] });
  const workerData: HeartbeatData = { settings, owner, lists: [...lists], memory: watch.memory };
  const heartbeat = new Worker(new URL("./heartbeat-thread.ts", import.meta.url), {
    workerData,
    resourceLimits: THREAD_MEMORY,
  });

  async function change(plan: Plan): Promise<void> {
    try {
      const runtime = await runtimes.replace(plan);
      await runtime.storages.open();
    } catch (error) {
      log.error("configuration refused, the former one stays", { version: plan.version, error });
      return;
    }
    // runs of the former configuration go on: their leases are kept alive as well
    for (const list of listsOf(plan)) lists.add(list);
    tell({ type: "owner", owner, lists: [...lists] });
    heartbeat.postMessage([...lists]);
    log.info("configuration changed", { version: plan.version });
  }
  let changes = Promise.resolve();
  config.onChange((plan) => {
    changes = changes.then(() => change(plan));
  });

  const worker = createWorker({
    backend,
    runtimes,
    owner,
    settings,
    clock: systemClock,
    random: Math.random,
    log,
    watch,
    emit: toEvents(events),
    ...(suspects && { suspects }),
    onSuspects: (count) => tell({ type: "suspects", count }),
  });
  tell({ type: "ready" });

  const ended = worker.run().finally(async () => {
    await heartbeat.terminate();
    watch.stop();
    await runtimes.close();
    await backend.close();
  });
  return { stop: worker.stop, ended };
}
