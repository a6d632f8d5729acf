import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { Worker } from "node:worker_threads";
import type { Logger } from "@vcon-server/core";
import type { ConfigSource, Plan, Settings } from "@vcon-server/core/config";
import { createRuntimes, createWatch, createWorker, type EngineEvent } from "@vcon-server/core/engine";
import { systemClock } from "@vcon-server/core/resilience";
import { connectBackend } from "../compose.ts";
import { tell } from "../process/messages.ts";
import type { HeartbeatData } from "./heartbeat-thread.ts";

export interface WorkerStart {
  readonly settings: Settings;
  readonly config: ConfigSource;
  readonly log: Logger;
  readonly suspectsOnly: boolean;
}

export interface RunningWorker {
  /** Stops claiming and lets runs finish within `grace` milliseconds. */
  stop(grace: number): void;
  readonly ended: Promise<void>;
}

const listsOf = (plan: Plan) =>
  plan.chains.filter(({ enabled }) => enabled).flatMap(({ ingressLists }) => ingressLists);

/** Runs chains in this process until stopped. */
export async function startWorker({ settings, config, log, suspectsOnly }: WorkerStart): Promise<RunningWorker> {
  const owner = `${hostname()}:${process.pid}:${randomBytes(4).toString("hex")}`;
  const backend = await connectBackend(settings, log);
  const runtimes = await createRuntimes(config.plan, log);
  const watch = createWatch();
  const lists = listsOf(config.plan);
  tell({ type: "owner", owner, lists });
  const workerData: HeartbeatData = { settings, owner, lists, memory: watch.memory };
  const heartbeat = new Worker(new URL("./heartbeat-thread.ts", import.meta.url), { workerData });

  config.onChange((plan) => {
    runtimes.replace(plan).then(
      () => {
        tell({ type: "owner", owner, lists: listsOf(plan) });
        heartbeat.postMessage(listsOf(plan));
        log.info("configuration changed", { version: plan.version });
      },
      (error) => log.error("configuration refused, the former one stays", { version: plan.version, error }),
    );
  });

  const worker = createWorker({
    backend,
    runtimes,
    owner,
    settings,
    clock: systemClock,
    random: Math.random,
    fetch: globalThis.fetch,
    log,
    watch,
    emit: lineFor(log),
    suspectsOnly,
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

/** One line per vCon; failures have theirs already, with the reason. */
const lineFor = (log: Logger) => (event: EngineEvent) => {
  if (event.type !== "run.ended" || event.end === "failed" || event.end === "retried") return;
  const { uuid, chain, end, ms } = event;
  log.info(`vCon ${end}`, { uuid, chain, ms: Math.round(ms * 10) / 10 });
};
