import { isUuid } from "@vcon-server/vcon";
import type { Backend, Checkpoint, CheckpointWrite, Claim, Ending } from "../backend/backend.ts";
import type { ChainPlan } from "../config/plan.ts";
import type { Settings } from "../config/settings.ts";
import { asVconError, VconError } from "../errors/index.ts";
import type { Clock } from "../plugin/link.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createBatcher } from "./batcher.ts";
import type { Deliverer } from "./deliverer.ts";
import type { EngineEvent, RunResult } from "./events.ts";
import { deadEnding, type FinishContext, finish } from "./finish.ts";
import { loadThrough } from "./load.ts";
import { persist } from "./persist.ts";
import { lastMessage } from "./records.ts";
import { checkpointOf, type Progress, type RunContext, type RunEnd, resume, runChain } from "./run.ts";
import type { Runtime } from "./runtime.ts";
import { monotonic, type Watch } from "./watch.ts";

export interface ProcessorDeps {
  readonly backend: Backend;
  readonly owner: string;
  readonly settings: Pick<Settings, "redisExpiry" | "egressVersion" | "storageFallback">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly watch: Watch;
  readonly emit: (event: EngineEvent) => void;
  readonly deliverer: Deliverer;
  /** Aborted when runs must be let go. */
  readonly letGo: AbortSignal;
}

/** A leased entry with the chain and the configuration it runs under. */
export interface Run {
  readonly claim: Claim;
  readonly chain: ChainPlan;
  readonly runtime: Runtime;
}

/** Takes leased entries from claim to recorded end. */
export interface Processor {
  /** Never fails: what cannot be recorded is given back. */
  process(run: Run): Promise<void>;
  /** Resolves when everything that was recorded is with the backend. */
  idle(): Promise<void>;
}

/** Deaths of a process while a vCon ran alone after which the vCon is quarantined. */
export const DEATHS_TO_QUARANTINE = 3;
const UNRECORDED_MS = 30_000;
const UNLOADED_MS = 5_000;
const DELIVERY_LEASE_MARGIN = 10_000;

export function createProcessor(deps: ProcessorDeps): Processor {
  const { backend, log, clock } = deps;
  const settles = createBatcher((batch: Ending[]) => backend.settle(batch), {
    max: 64,
    parallel: 4,
    weigh: weighEnding,
  });
  const checkpoints = createBatcher((batch: CheckpointWrite[]) => backend.checkpoint(batch), {
    max: 64,
    parallel: 4,
    weigh: ({ checkpoint }) => weighCheckpoint(checkpoint),
  });
  const patience = { clock, random: deps.random, log, signal: deps.letGo };
  const settle = (ending: Ending) => persist("the end of a run", () => settles.add(ending), patience);

  async function process(run: Run): Promise<void> {
    const began = monotonic();
    const refusal = refuse(run.claim);
    if (refusal) return abandon(run, refusal.error, refusal.kind);
    const start = await firstProgress(run);
    if (start instanceof VconError) return start.retryable ? postpone(run, start) : abandon(run, start, "load");
    const unchanged: Record<string, string> = {};
    const end = await runChain(start, runContext(run, unchanged));
    const { kind, conflicts, document, deliver } = await finish(end, finishContext(run));
    const { uuid, list } = run.claim;
    if (conflicts > 0) log.warn("changes of two runs were merged", { uuid, chain: run.chain.name, conflicts });
    report(run, { end, ms: monotonic() - began, result: kind === "ok" ? RESULTS[end.kind] : kind, unchanged });
    if (document && deliver.length > 0)
      deps.deliverer.start({ uuid, chain: run.chain, list, storages: deliver, document });
  }

  /** Where the run begins, or why it cannot. An outage is retryable, absence everywhere is not. */
  async function firstProgress({ claim, chain, runtime }: Run): Promise<Progress | VconError> {
    try {
      const from = { backend, storages: runtime.storages, ttl: deps.settings.redisExpiry };
      const fallback = async () => (deps.settings.storageFallback ? loadThrough(claim.uuid, from) : undefined);
      const document = claim.document ?? (await fallback());
      if (document) return resume(document, claim.checkpoint, chain.links);
      const known = claim.lost === undefined ? "" : `: ${claim.lost}`;
      return new VconError(
        "VCON_NOT_LOADED",
        `vCon ${claim.uuid} is neither in the backend nor in a readable storage${known}`,
      );
    } catch (error) {
      return asVconError(error, "VCON_LINK_REFUSED", `reading vCon ${claim.uuid}`);
    }
  }

  async function postpone({ claim, chain }: Run, { code, message }: VconError): Promise<void> {
    log.warn("vCon cannot be loaded and waits", { uuid: claim.uuid, chain: chain.name, code, error: message });
    const kept = claim.checkpoint ? { checkpoint: claim.checkpoint } : {};
    await settle({ kind: "later", lease: claim, delay: UNLOADED_MS, attempt: claim.attempt, ...kept });
  }

  async function abandon(run: Run, error: VconError, kind: "load" | "poison"): Promise<void> {
    const { uuid, list, attempt } = run.claim;
    const chain = run.chain.name;
    log.error("vCon dead-lettered", {
      uuid,
      chain,
      code: error.code,
      error: lastMessage(error),
      remedy: remedyFor(list),
    });
    await settle(deadEnding(error, finishContext(run), { kind, attempt }));
    deps.emit({ type: "run.ended", uuid, chain, list, end: "failed", ms: 0, error });
  }

  /** A run whose keys hold something else cannot end as it wished: trying again would only run its links again. */
  async function bury(run: Run, error: unknown): Promise<void> {
    if (!(error instanceof VconError && error.code === "VCON_BACKEND_KEY")) return giveBack(run, error);
    await abandon(run, error, "load").catch((cause) => giveBack(run, cause));
  }

  /** A run whose end could not be written: its entry must not stay leased to a process that has forgotten it. */
  async function giveBack({ claim }: Run, error: unknown): Promise<void> {
    const { uuid, chain, attempt } = claim;
    log.error("run could not be recorded and is tried again later", { uuid, chain, error });
    await settle({ kind: "later", lease: claim, delay: UNRECORDED_MS, attempt }).catch((cause) =>
      log.error("entry could not be given back; it comes up again when this process ends", { uuid, error: cause }),
    );
  }

  function finishContext({ claim, chain, runtime }: Run): FinishContext {
    const timeouts = chain.storages.map((name) => runtime.storages.plans.get(name)?.timeout ?? 0);
    return {
      claim,
      chain,
      clock,
      config: runtime.plan.version,
      worker: deps.owner,
      redisExpiry: deps.settings.redisExpiry,
      deliveryLease: Math.max(0, ...timeouts) + DELIVERY_LEASE_MARGIN,
      settle,
      backend,
    };
  }

  function runContext({ claim, chain, runtime }: Run, unchanged: Record<string, string>): RunContext {
    return {
      claim,
      chain,
      runtime,
      egressVersion: deps.settings.egressVersion,
      stop: deps.letGo,
      clock,
      random: deps.random,
      watch: deps.watch,
      checkpoint: async (progress) => {
        const link = chain.links[progress.index]?.name ?? "";
        const checkpoint = checkpointOf(progress, { config: runtime.plan.version, link });
        return (await persist("a checkpoint", () => checkpoints.add({ lease: claim, checkpoint }), patience)) === "ok";
      },
      observe: ({ unchanged: reason, ...event }) => {
        if (reason !== undefined) unchanged[event.link] = reason;
        deps.emit({ type: "link.ended", chain: chain.name, ...event });
      },
    };
  }

  function report({ claim, chain }: Run, { end, ms, result, unchanged }: Report): void {
    const error = "error" in end ? end.error : undefined;
    const about = { uuid: claim.uuid, chain: chain.name };
    const extras = { ...(error && { error }), ...(Object.keys(unchanged).length > 0 && { unchanged }) };
    deps.emit({ type: "run.ended", ...about, list: claim.list, end: result, ms, ...extras });
    // the only trace of a worker that was taken for dead while it was not
    if (result === "lost") log.warn("run dropped, its lease has moved on to another worker", about);
    if (!error || !("link" in end)) return;
    const fields = { ...about, link: end.link, code: error.code };
    if (end.kind === "failed")
      log.error("vCon dead-lettered", { ...fields, error: lastMessage(error), remedy: remedyFor(claim.list) });
    else log.debug("link failed and is tried again", { ...fields, error: error.message });
  }

  return {
    process: (run) => process(run).catch((error) => bury(run, error)),
    idle: async () => {
      await settles.idle();
      await checkpoints.idle();
    },
  };
}

interface Report {
  readonly end: RunEnd;
  readonly ms: number;
  readonly result: RunResult;
  readonly unchanged: Readonly<Record<string, string>>;
}

const RESULTS: Readonly<Record<RunEnd["kind"], RunResult>> = {
  done: "processed",
  halted: "halted",
  failed: "failed",
  later: "retried",
  lost: "lost",
  stopped: "released",
};

const weighCheckpoint = (checkpoint: Checkpoint | undefined): number =>
  (checkpoint?.json?.length ?? 0) + (checkpoint?.baseJson?.length ?? 0);

const weighEnding = (ending: Ending): number =>
  ("change" in ending ? (ending.change?.bytes.byteLength ?? 0) : 0) +
  ("checkpoint" in ending ? weighCheckpoint(ending.checkpoint) : 0);

const remedyFor = (list: string): string =>
  `correct what failed, then POST /dlq/reprocess?ingress_list=${list}: it goes on where it failed`;

/** Entries that are dead-lettered without running anything. */
function refuse({
  uuid,
  deaths,
  fault,
}: Claim): { readonly error: VconError; readonly kind: "load" | "poison" } | undefined {
  if (!isUuid(uuid)) {
    const message = `the list held ${JSON.stringify(String(uuid).slice(0, 80))}, which is no vCon uuid`;
    return { error: new VconError("VCON_INPUT_INVALID", message), kind: "load" };
  }
  if (fault) return { error: fault, kind: "load" };
  if (deaths < DEATHS_TO_QUARANTINE) return undefined;
  const message = `vCon ${uuid} ended the process that worked on it ${deaths} times while it ran alone`;
  return { error: new VconError("VCON_POISON", message), kind: "poison" };
}
