import { isUuid } from "@vcon-server/vcon";
import type { Backend, CheckpointWrite, Claim, ClaimResult, Ending } from "../backend/backend.ts";
import type { ChainPlan } from "../config/plan.ts";
import type { Settings } from "../config/settings.ts";
import { asVconError, VconError } from "../errors/index.ts";
import type { Clock } from "../plugin/link.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createBatcher } from "./batcher.ts";
import { createDeliverer } from "./deliverer.ts";
import type { EngineEvent, RunResult } from "./events.ts";
import { deadEnding, type FinishContext, finish } from "./finish.ts";
import { loadThrough } from "./load.ts";
import { persist } from "./persist.ts";
import { type ListLoad, quotas } from "./quotas.ts";
import { checkpointOf, type Progress, type RunContext, type RunEnd, resume, runChain } from "./run.ts";
import type { Runtime } from "./runtime.ts";
import type { Runtimes } from "./runtimes.ts";
import { monotonic, type Watch } from "./watch.ts";

export interface WorkerDeps {
  readonly backend: Backend;
  /** New runs begin on the current one; it changes when the configuration does. */
  readonly runtimes: Pick<Runtimes, "current" | "hold">;
  readonly owner: string;
  readonly settings: Pick<
    Settings,
    "concurrency" | "redisExpiry" | "egressVersion" | "storageFallback" | "parallelStorage"
  >;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetch: typeof globalThis.fetch;
  readonly log: Logger;
  readonly watch: Watch;
  readonly emit: (event: EngineEvent) => void;
  /** Works on suspects only, one at a time, and stops when there are none left. */
  readonly suspectsOnly?: boolean;
  /** Told when suspects are waiting for such a worker. */
  readonly onSuspects?: (count: number) => void;
}

export interface ChainWorker {
  /** Claims and runs until stopped. Resolves when nothing is in flight any more. */
  run(): Promise<void>;
  /** Stops claiming; what is in flight may finish within `grace` milliseconds, then it is let go. */
  stop(grace: number): void;
  readonly inFlight: number;
}

/** Deaths of a process while a vCon ran alone after which the vCon is quarantined. */
export const DEATHS_TO_QUARANTINE = 3;
/** Most entries one claim takes: with several batches under way, claiming, running and committing overlap. */
const MAX_BATCH = 64;
const IDLE_MS = 1_000;
const OUTAGE_MS = 500;
const UNRECORDED_MS = 30_000;
const DELIVERY_LEASE_MARGIN = 10_000;

interface List {
  readonly name: string;
  readonly chain: ChainPlan;
}

/** The loop that turns waiting entries into finished runs, many at a time. */
export function createWorker(deps: WorkerDeps): ChainWorker {
  const { backend, log, clock } = deps;
  const slots = deps.suspectsOnly ? 1 : deps.settings.concurrency;
  const batch = Math.max(1, Math.min(MAX_BATCH, Math.floor(slots / 3)));
  const stopClaiming = new AbortController();
  const letGo = new AbortController();
  const running = new Map<string, number>();
  const hungry = new Set<string>();
  /** Leases this process knows of; after a claim whose answer was lost there may be others. */
  const held = new Set<Claim>();
  let stray = false;
  let inFlight = 0;
  let turn = 0;
  let freed = Promise.withResolvers<void>();

  const settles = createBatcher((batch: Ending[]) => backend.settle(batch), { max: 64, parallel: 4 });
  const checkpoints = createBatcher((batch: CheckpointWrite[]) => backend.checkpoint(batch), { max: 64, parallel: 4 });
  const deliverer = createDeliverer({
    ...deps,
    runtime: deps.runtimes.current,
    worker: deps.owner,
    egressVersion: deps.settings.egressVersion,
    parallel: deps.settings.parallelStorage,
    capacity: Math.max(64, 4 * slots),
  });

  const patience = { clock, random: deps.random, log, signal: letGo.signal };
  const settle = (ending: Ending) => persist("the end of a run", () => settles.add(ending), patience);

  function lists(): List[] {
    const chains = deps.runtimes.current().plan.chains.filter(({ enabled }) => enabled);
    const all = chains.flatMap((chain) => chain.ingressLists.map((name) => ({ name, chain })));
    // rotate, so that with fewer free slots than lists each one has its turn
    const at = all.length === 0 ? 0 : turn++ % all.length;
    return [...all.slice(at), ...all.slice(0, at)];
  }

  function loads(all: readonly List[]): ListLoad[] {
    return all.map(({ name, chain }) => {
      const elsewhere = chain.ingressLists.reduce(
        (sum, list) => sum + (list === name ? 0 : (running.get(list) ?? 0)),
        0,
      );
      const limit = (chain.concurrency ?? Number.POSITIVE_INFINITY) - elsewhere;
      return { running: running.get(name) ?? 0, hungry: hungry.has(name), limit };
    });
  }

  /** Claims once. Returns how many runs were begun; public behaviour of one turn of the loop. */
  async function tick(all: readonly List[]): Promise<ClaimResult> {
    if (stray) {
      await backend.giveBack(
        deps.owner,
        all.map(({ name }) => name),
        [...held],
      );
      stray = false;
    }
    const shares = deps.suspectsOnly ? all.map(() => 1) : quotas(loads(all), { slots, most: batch });
    const wanted = all
      .map(({ name, chain }, at) => ({ name, chain: chain.name, max: shares[at] as number }))
      .filter(({ max }) => max > 0);
    const result = await backend.claim({ owner: deps.owner, lists: wanted, suspects: deps.suspectsOnly ?? false });
    const got = new Map<string, number>();
    for (const { list } of result.runs) got.set(list, (got.get(list) ?? 0) + 1);
    for (const { name, max } of wanted) {
      if ((got.get(name) ?? 0) >= max) hungry.add(name);
      else hungry.delete(name);
    }
    if (result.suspects > 0) deps.onSuspects?.(result.suspects);
    const runtime = deps.runtimes.current();
    for (const claim of result.runs) {
      const chain = all.find(({ name }) => name === claim.list)?.chain;
      if (chain) begin(claim, chain, runtime);
    }
    return result;
  }

  function begin(claim: Claim, chain: ChainPlan, runtime: Runtime): void {
    inFlight++;
    held.add(claim);
    running.set(claim.list, (running.get(claim.list) ?? 0) + 1);
    const drop = deps.runtimes.hold(runtime);
    const release = () => {
      drop();
      inFlight--;
      held.delete(claim);
      running.set(claim.list, (running.get(claim.list) ?? 1) - 1);
      freed.resolve();
      freed = Promise.withResolvers();
    };
    void process({ claim, chain, runtime })
      .catch((error) => giveBack(claim, error))
      .then(release);
  }

  /** A run whose end could not be written: its entry must not stay leased to a process that has forgotten it. */
  async function giveBack(claim: Claim, error: unknown): Promise<void> {
    log.error("run could not be recorded and is tried again later", { uuid: claim.uuid, chain: claim.chain, error });
    const again: Ending = { kind: "later", lease: claim, delay: UNRECORDED_MS, attempt: claim.attempt };
    await settle(again).catch((cause) =>
      log.error("entry could not be given back", { uuid: claim.uuid, error: cause }),
    );
  }

  interface Run {
    readonly claim: Claim;
    readonly chain: ChainPlan;
    readonly runtime: Runtime;
  }

  async function process(run: Run): Promise<void> {
    const began = monotonic();
    const { claim, chain } = run;
    const context = finishContext(run);
    const refusal = refuse(claim);
    if (refusal) return abandonEntry(run, refusal.error, refusal.kind);
    const start = await begunProgress(run);
    if (start instanceof VconError) {
      if (start.retryable) return postpone(run, start);
      return abandonEntry(run, start, "load");
    }
    const end = await runChain(start, runContext(run));
    const finished = await finish(end, context);
    if (finished.conflicts > 0)
      log.warn("changes of two runs were merged", {
        uuid: claim.uuid,
        chain: chain.name,
        conflicts: finished.conflicts,
      });
    report(run, { end, ms: monotonic() - began, result: finished.kind === "ok" ? RESULTS[end.kind] : finished.kind });
    if (finished.document && finished.deliver.length > 0) {
      deliverer.start({
        uuid: claim.uuid,
        chain,
        list: claim.list,
        storages: finished.deliver,
        document: finished.document,
      });
    }
  }

  /** Where the run begins, or why it cannot. An outage is retryable, absence everywhere is not. */
  async function begunProgress({ claim, chain, runtime }: Run): Promise<Progress | VconError> {
    try {
      const from = { backend, storages: runtime.storages, ttl: deps.settings.redisExpiry };
      const document =
        claim.document ?? (deps.settings.storageFallback ? await loadThrough(claim.uuid, from) : undefined);
      if (!document) {
        return new VconError(
          "VCON_NOT_LOADED",
          `vCon ${claim.uuid} is neither in the backend nor in a readable storage`,
        );
      }
      return resume(document, claim.checkpoint, chain.links);
    } catch (error) {
      return asVconError(error, "VCON_LINK_REFUSED", `reading vCon ${claim.uuid}`);
    }
  }

  async function postpone({ claim, chain }: Run, error: VconError): Promise<void> {
    log.warn("vCon cannot be loaded and waits", {
      uuid: claim.uuid,
      chain: chain.name,
      code: error.code,
      error: error.message,
    });
    const kept = claim.checkpoint ? { checkpoint: claim.checkpoint } : {};
    await settle({ kind: "later", lease: claim, delay: 5_000, attempt: claim.attempt, ...kept });
  }

  async function abandonEntry(run: Run, error: VconError, kind: "load" | "poison"): Promise<void> {
    log.error("vCon dead-lettered", {
      uuid: run.claim.uuid,
      chain: run.chain.name,
      code: error.code,
      error: error.message,
    });
    await settle(deadEnding(error, finishContext(run), { kind, attempt: run.claim.attempt }));
    deps.emit({
      type: "run.ended",
      uuid: run.claim.uuid,
      chain: run.chain.name,
      list: run.claim.list,
      end: "failed",
      ms: 0,
      error,
    });
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

  function runContext({ claim, chain, runtime }: Run): RunContext {
    return {
      claim,
      chain,
      runtime,
      egressVersion: deps.settings.egressVersion,
      stop: letGo.signal,
      clock,
      random: deps.random,
      fetch: deps.fetch,
      watch: deps.watch,
      checkpoint: async (progress) => {
        const link = chain.links[progress.index]?.name ?? "";
        const checkpoint = checkpointOf(progress, { config: runtime.plan.version, link });
        const kept = await persist("a checkpoint", () => checkpoints.add({ lease: claim, checkpoint }), patience);
        return kept === "ok";
      },
      observe: (event) => deps.emit({ type: "link.ended", chain: chain.name, ...event }),
    };
  }

  function report({ claim, chain }: Run, { end, ms, result }: { end: RunEnd; ms: number; result: RunResult }): void {
    const error = "error" in end ? end.error : undefined;
    const { uuid } = claim;
    deps.emit({
      type: "run.ended",
      uuid,
      chain: chain.name,
      list: claim.list,
      end: result,
      ms,
      ...(error && { error }),
    });
    const fields = {
      uuid,
      chain: chain.name,
      ms: Math.round(ms),
      ...(error && { code: error.code, error: error.message }),
    };
    if (end.kind === "failed") log.error("vCon dead-lettered", { ...fields, link: end.link });
    else if (end.kind === "later")
      log.debug("link failed and is tried again", { ...fields, link: end.link, delay: end.delay });
    else log.debug(`run ${result}`, fields);
  }

  async function deliveries(): Promise<void> {
    while (!stopClaiming.signal.aborted) {
      const more = await deliverer.poll().catch((error) => {
        log.warn("pending deliveries cannot be read", { error });
        return false;
      });
      if (!more) await pause(IDLE_MS);
    }
  }

  const pause = (ms: number) => clock.sleep(ms, stopClaiming.signal).catch(() => undefined);

  async function claimAndRun(): Promise<void> {
    while (!stopClaiming.signal.aborted) {
      // room for a whole batch before the next claim: batches stay big, and claiming overlaps with committing
      if (inFlight > slots - batch) {
        await freed.promise;
        continue;
      }
      const all = lists();
      const result = await tick(all).catch(async (error) => {
        log.warn("claiming failed, trying again", { error });
        stray = true;
        await pause(OUTAGE_MS);
        return undefined;
      });
      if (!result || result.runs.length > 0) continue;
      if (deps.suspectsOnly) {
        if (inFlight > 0) await freed.promise;
        else return;
      } else await idle(all.map(({ name }) => name));
    }
  }

  async function idle(names: readonly string[]): Promise<void> {
    if (names.length === 0) return pause(IDLE_MS);
    await backend.waitForWork(names, IDLE_MS, stopClaiming.signal).catch(async (error) => {
      log.warn("waiting for work failed, trying again", { error });
      await pause(OUTAGE_MS);
    });
  }

  return {
    get inFlight() {
      return inFlight;
    },
    async run() {
      const delivering = deps.suspectsOnly ? undefined : deliveries();
      await claimAndRun();
      while (inFlight > 0) await freed.promise;
      await delivering;
      await settles.idle();
      await Promise.race([deliverer.idle(), aborted(letGo.signal)]);
    },
    stop(grace) {
      stopClaiming.abort();
      const end = () => letGo.abort(new VconError("VCON_SHUTTING_DOWN", "the worker is stopping"));
      if (grace <= 0) end();
      else setTimeout(end, grace).unref();
    },
  };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

const RESULTS: Readonly<Record<RunEnd["kind"], RunResult>> = {
  done: "processed",
  halted: "halted",
  failed: "failed",
  later: "retried",
  lost: "lost",
  stopped: "released",
};

/** Entries that are dead-lettered without running anything. */
function refuse({ uuid, deaths }: Claim): { readonly error: VconError; readonly kind: "load" | "poison" } | undefined {
  if (!isUuid(uuid)) {
    const message = `the list held ${JSON.stringify(String(uuid).slice(0, 80))}, which is no vCon uuid`;
    return { error: new VconError("VCON_INPUT_INVALID", message), kind: "load" };
  }
  if (deaths < DEATHS_TO_QUARANTINE) return undefined;
  const message = `vCon ${uuid} ended the process that worked on it ${deaths} times while it ran alone`;
  return { error: new VconError("VCON_POISON", message), kind: "poison" };
}
