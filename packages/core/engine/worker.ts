import type { Claim } from "../backend/backend.ts";
import type { Settings } from "../config/settings.ts";
import { VconError } from "../errors/index.ts";
import { createDeliverer } from "./deliverer.ts";
import { createProcessor, type ProcessorDeps, type Run } from "./processor.ts";
import type { Runtimes } from "./runtimes.ts";
import { createScheduler, type List } from "./scheduler.ts";

export interface WorkerDeps extends Omit<ProcessorDeps, "settings" | "deliverer" | "letGo"> {
  /** New runs begin on the current one; it changes when the configuration does. */
  readonly runtimes: Pick<Runtimes, "current" | "hold">;
  readonly settings: ProcessorDeps["settings"] & Pick<Settings, "concurrency" | "parallelStorage">;
  /** Works on suspects only, and ends when there are none left, or after a number of them alone. */
  readonly suspects?: SuspectsMode;
  /** Told when suspects are waiting for such a worker. */
  readonly onSuspects?: (count: number) => void;
}

/**
 * How suspects are run. `together` is fast, and what most of them need: nearly all only happened to be there when a
 * process died. `alone` finds out which one it was.
 */
export type SuspectsMode = "together" | "alone";

export interface ChainWorker {
  /** Claims and runs until stopped. Resolves when nothing is in flight any more. */
  run(): Promise<void>;
  /** Stops claiming; what is in flight may finish within `grace` milliseconds, then it is let go. */
  stop(grace: number): void;
  readonly inFlight: number;
}

/** Most entries one claim takes: with several batches under way, claiming, running and committing overlap. */
const MAX_BATCH = 64;
/** Suspects that run beside each other, and as many run alone when their process has died. */
const SUSPECTS_AT_A_TIME = 64;
const IDLE_MS = 1_000;
const OUTAGE_MS = 500;

/** The loop that turns waiting entries into finished runs, many at a time. */
export function createWorker(deps: WorkerDeps): ChainWorker {
  const { backend, log, clock, owner, suspects } = deps;
  const slots = deps.settings.concurrency;
  const batch = Math.max(1, Math.min(MAX_BATCH, Math.floor(slots / 3)));
  const stopClaiming = new AbortController();
  const letGo = new AbortController();
  /** Leases this process knows of; after a claim whose answer was lost there may be others. */
  const held = new Set<Claim>();
  let stray = false;
  let freed = Promise.withResolvers<void>();

  const scheduler = createScheduler(() => deps.runtimes.current().plan, { slots, batch });
  const deliverer = createDeliverer({
    ...deps,
    runtime: deps.runtimes.current,
    worker: owner,
    egressVersion: deps.settings.egressVersion,
    parallel: deps.settings.parallelStorage,
    capacity: Math.max(64, 4 * slots),
  });
  const processor = createProcessor({ ...deps, deliverer, letGo: letGo.signal });

  /** Claims once and begins what it got. Returns how many runs that are; none when the backend did not answer. */
  async function tick(lists: readonly List[]): Promise<number | "outage"> {
    try {
      await giveBackStrays(lists);
      const max = suspects === "together" ? SUSPECTS_AT_A_TIME : 1;
      const wanted = suspects ? lists.map((list) => some(list, max)) : scheduler.wanted(lists);
      const how = { suspects: suspects !== undefined, together: suspects === "together" };
      const { runs, suspects: left } = await backend.claim({ owner, lists: wanted, ...how });
      scheduler.learn(
        wanted,
        runs.map(({ list }) => list),
      );
      if (left > 0) deps.onSuspects?.(left);
      const runtime = deps.runtimes.current();
      for (const claim of runs) {
        const chain = lists.find(({ name }) => name === claim.list)?.chain;
        if (chain) begin({ claim, chain, runtime });
      }
      return runs.length;
    } catch (error) {
      log.warn("claiming failed, trying again", { error });
      stray = true;
      await pause(OUTAGE_MS);
      return "outage";
    }
  }

  async function giveBackStrays(lists: readonly List[]): Promise<void> {
    if (!stray) return;
    await backend.giveBack(
      owner,
      lists.map(({ name }) => name),
      [...held],
    );
    stray = false;
  }

  function begin(run: Run): void {
    const { claim, runtime } = run;
    held.add(claim);
    scheduler.begun(claim.list);
    const drop = deps.runtimes.hold(runtime);
    void processor.process(run).then(() => {
      drop();
      held.delete(claim);
      scheduler.ended(claim.list);
      freed.resolve();
      freed = Promise.withResolvers();
    });
  }

  async function work(): Promise<void> {
    while (!stopClaiming.signal.aborted) {
      // room for a whole batch before the next claim: batches stay big, and claiming overlaps with committing
      if (held.size > slots - batch) {
        await freed.promise;
        continue;
      }
      const lists = scheduler.lists();
      if ((await tick(lists)) === 0) await idle(lists.map(({ name }) => name));
    }
  }

  /** Suspects of one list after the other, until there are none; of those that run alone only so many. */
  async function workOnSuspects(): Promise<void> {
    let alone = 0;
    for (let found = true; found && !stopClaiming.signal.aborted; ) {
      found = false;
      for (const list of scheduler.lists()) {
        const got = await tick([list]);
        found = got !== 0 || found;
        await drained();
        alone += suspects === "alone" && got !== "outage" ? got : 0;
        if (stopClaiming.signal.aborted || alone >= SUSPECTS_AT_A_TIME) return;
      }
    }
  }

  async function idle(names: readonly string[]): Promise<void> {
    if (names.length === 0) return pause(IDLE_MS);
    await backend.waitForWork(names, IDLE_MS, stopClaiming.signal).catch(async (error) => {
      log.warn("waiting for work failed, trying again", { error });
      await pause(OUTAGE_MS);
    });
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

  async function drained(): Promise<void> {
    while (held.size > 0) await freed.promise;
  }

  return {
    get inFlight() {
      return held.size;
    },
    async run() {
      await Promise.all(suspects ? [workOnSuspects()] : [work(), deliveries()]);
      await drained();
      await processor.idle();
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

const some = ({ name, chain }: List, max: number) => ({
  name,
  chain: chain.name,
  max: Math.min(max, chain.concurrency ?? max),
});

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
