import type { Vcon, VconUuid } from "@vcon-server/vcon";
import type { StoragePlan } from "../config/plan.ts";
import { asVconError, VconError } from "../errors/index.ts";
import { type Network, openNetwork } from "../network/index.ts";
import type { StorageHandle, StoredVcon } from "../plugin/storage.ts";
import { type Breaker, type BreakerState, breaker, withTimeout } from "../resilience/index.ts";
import { type Logger, withFields } from "../telemetry/logger.ts";
import { type Batcher, createBatcher } from "./batcher.ts";
import { loadDependencies } from "./dependencies.ts";
import { servicesOf } from "./services-of.ts";

/** All configured storages of a process, each with its own connection, time limit and breaker. */
export interface StorageSet {
  readonly plans: ReadonlyMap<string, StoragePlan>;
  /** Opens them all ahead of the first vCon, which then need not wait for packages to load. What fails is tried again when used. */
  open(): Promise<void>;
  /** Resolves when the storage has it; rejects with a coded error. Storages that take batches get batches. */
  save(storage: string, doc: StoredVcon): Promise<void>;
  /** Deletes where the storage can; one that cannot is refused with `VCON_STORAGE_REFUSED`. */
  remove(storage: string, uuid: VconUuid): Promise<void>;
  /** Asks the readable storages in configured order. Throws when one that was asked is down and none has it. */
  load(uuid: VconUuid): Promise<Vcon | undefined>;
  /** Throws when the storage cannot be used right now. */
  check(storage: string): Promise<void>;
  close(): Promise<void>;
}

const BATCH = { max: 64, parallel: 4 };
const SINGLES = { max: 1, parallel: 32 };

interface Open {
  readonly plan: StoragePlan;
  handle(): Promise<StorageHandle>;
  /** Runs one call under the storage's time limit and breaker. */
  call<T>(doing: string, run: (handle: StorageHandle, signal: AbortSignal) => Promise<T>): Promise<T>;
  readonly saves: Batcher<StoredVcon, VconError | undefined>;
  close(): Promise<void>;
}

/** Tells of an outage once when it begins and once when it ends, however often it is tried in between. */
function outages(last: () => VconError | undefined, log: Logger): (state: BreakerState) => void {
  let down = false;
  return (state) => {
    if (state === "open" && !down) {
      down = true;
      const failure = last();
      log.warn("storage fails repeatedly and is left alone; what it lacks waits for it", {
        code: failure?.code,
        error: failure?.message,
      });
    }
    if (state === "closed" && down) {
      down = false;
      log.info("storage works again; what waits for it is delivered");
    }
  };
}

/** Opens lazily: a storage whose service is down at start is an outage like any other. */
function openOne(plan: StoragePlan, log: Logger, network: Network): Open {
  let last: VconError | undefined;
  const rest: Breaker = breaker({
    failures: plan.breaker.failures,
    resetMs: plan.breaker.reset,
    onChange: outages(() => last, withFields(log, { storage: plan.name })),
  });
  let opened: Promise<StorageHandle> | undefined;

  const handle = () => {
    opened ??= loadDependencies(plan.plugin)
      .then((deps) => {
        const fetch = network.fetchFor(servicesOf(plan));
        return plan.plugin.open({ options: plan.options, deps, log: withFields(log, { storage: plan.name }), fetch });
      })
      .catch((error) => {
        opened = undefined;
        throw error;
      });
    return opened;
  };

  const call: Open["call"] = async (doing, run) => {
    const wait = rest.wait();
    if (wait > 0) {
      const why = last ? `; the last failure: ${last.message}` : "";
      throw new VconError("VCON_STORAGE_BREAKER", `storage ${plan.name} failed repeatedly and is left alone${why}`, {
        retryAfterSecs: wait / 1000,
        cause: last,
      });
    }
    try {
      const result = await withTimeout(
        {
          ms: plan.timeout,
          error: () =>
            new VconError("VCON_STORAGE_TIMEOUT", `storage ${plan.name} took over ${plan.timeout} ms ${doing}`),
        },
        async (signal) => run(await handle(), signal),
      );
      rest.success();
      return result;
    } catch (error) {
      const coded = asVconError(error, "VCON_STORAGE_DOWN", `storage ${plan.name}, ${doing}`);
      // a document that is refused says nothing about the health of the storage
      if (coded.retryable) {
        last = coded;
        rest.failure();
      } else rest.success();
      throw coded;
    }
  };

  const saveOne = (doc: StoredVcon) =>
    call(`saving ${doc.uuid}`, (storage, signal) => storage.save(doc, { signal })).then(
      () => undefined,
      (error: VconError) => error,
    );

  async function saveAll(docs: StoredVcon[]): Promise<(VconError | undefined)[]> {
    const [only] = docs;
    if (docs.length === 1 && only) return [await saveOne(only)];
    const storage = await handle();
    if (!storage.saveMany) return Promise.all(docs.map(saveOne));
    try {
      await call(`saving ${docs.length} vCons`, async (_, signal) => storage.saveMany?.(docs, { signal }));
      return docs.map(() => undefined);
    } catch (error) {
      const coded = asVconError(error, "VCON_STORAGE_DOWN", `storage ${plan.name}`);
      // one document of the batch may be the culprit: the others must not suffer for it
      return coded.retryable ? docs.map(() => coded) : Promise.all(docs.map(saveOne));
    }
  }

  const batched = createBatcher(saveAll, { ...BATCH, weigh: ({ bytes }) => bytes.byteLength });
  const single = createBatcher(async (docs: StoredVcon[]) => Promise.all(docs.map(saveOne)), SINGLES);
  const saves: Open["saves"] = {
    add: async (doc) => {
      const storage = await handle().catch((error) =>
        asVconError(error, "VCON_STORAGE_DOWN", `opening storage ${plan.name}`),
      );
      if (storage instanceof VconError) {
        rest.failure();
        return storage;
      }
      return storage.saveMany ? batched.add(doc) : single.add(doc);
    },
    idle: async () => void (await Promise.all([batched.idle(), single.idle()])),
  };
  const close = async () => {
    await saves.idle();
    const storage = await opened?.catch(() => undefined);
    await storage?.close?.();
  };
  return { plan, handle, call, saves, close };
}

export function openStorages(plans: readonly StoragePlan[], log: Logger, network: Network = openNetwork()): StorageSet {
  const open = new Map(plans.map((plan) => [plan.name, openOne(plan, log, network)]));

  function named(name: string): Open {
    const found = open.get(name);
    if (found) return found;
    throw new VconError(
      "VCON_STORAGE_DOWN",
      `storage ${name} is not in the configuration (any more); the delivery waits until it is back or deleted`,
    );
  }

  async function load(uuid: VconUuid): Promise<Vcon | undefined> {
    let outage: unknown;
    for (const storage of open.values()) {
      if (!storage.plan.read) continue;
      try {
        const vcon = await storage.call(`loading ${uuid}`, async (handle, signal) => handle.load?.(uuid, { signal }));
        if (vcon) return vcon;
      } catch (error) {
        outage = error;
      }
    }
    if (outage) throw outage;
    return undefined;
  }

  return {
    plans: new Map(plans.map((plan) => [plan.name, plan])),
    async open() {
      // one after the other: loading is work for the one thread there is
      for (const storage of open.values())
        await storage
          .handle()
          .catch((error) => log.warn("storage cannot be opened yet", { storage: storage.plan.name, error }));
    },
    async save(name, doc) {
      const error = await named(name).saves.add(doc);
      if (error) throw error;
    },
    async remove(name, uuid) {
      await named(name).call(`deleting ${uuid}`, async (handle, signal) => {
        if (!handle.delete)
          throw new VconError("VCON_STORAGE_REFUSED", `storage ${name} cannot delete; its copy of ${uuid} stays`);
        await handle.delete(uuid, { signal });
      });
    },
    load,
    check: (name) => named(name).call("checking", async (handle, signal) => handle.check?.({ signal })),
    close: async () => void (await Promise.allSettled([...open.values()].map((storage) => storage.close()))),
  };
}
