import { downgrade, parseVcon, toBytes, type Vcon, type VconUuid } from "@vcon-server/vcon";
import type { Backend, DeliveryOutcome, DeliveryReport, DeliveryTask, Document, Revision } from "../backend/backend.ts";
import { type ChainPlan, dlqOf, type EgressVersion } from "../config/plan.ts";
import { asVconError, VconError } from "../errors/index.ts";
import type { Clock } from "../plugin/link.ts";
import type { StoredVcon } from "../plugin/storage.ts";
import { backoff } from "../resilience/index.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createBatcher } from "./batcher.ts";
import type { EngineEvent } from "./events.ts";
import { deadLetter } from "./records.ts";
import type { Runtime } from "./runtime.ts";

export interface DelivererDeps {
  readonly backend: Pick<Backend, "claimDeliveries" | "settleDeliveries">;
  readonly runtime: () => Runtime;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly worker: string;
  readonly egressVersion: EgressVersion | undefined;
  readonly emit: (event: EngineEvent) => void;
  /** Whether the storages of a chain are written at the same time, or one after the other. */
  readonly parallel: boolean;
  /** Deliveries in memory at a time; what is beyond waits in the backend. */
  readonly capacity: number;
}

/** Brings vCons to storages: at once when a run has ended, later when a storage was not there. */
export interface Deliverer {
  /** First attempts of a run that has just ended. Never fails: what does not work stays pending. */
  start(run: FirstAttempt): void;
  /** Takes what is due, without waiting for it to be done. Returns whether more may be due. */
  poll(): Promise<boolean>;
  idle(): Promise<void>;
}

export interface FirstAttempt {
  readonly uuid: VconUuid;
  readonly chain: ChainPlan;
  readonly list: string;
  readonly storages: readonly string[];
  readonly document: { readonly rev: Revision; readonly bytes: Uint8Array; readonly vcon: Vcon };
}

type Attempt = Omit<DeliveryTask, "document"> & {
  readonly document: Document | undefined;
  readonly vcon?: Vcon;
  readonly egressVersion: EgressVersion | undefined;
};

/** Milliseconds a pair is kept beyond the storage's own time limit. */
const LEASE_MARGIN = 5_000;

export function createDeliverer(deps: DelivererDeps): Deliverer {
  const reports = createBatcher((batch: DeliveryReport[]) => deps.backend.settleDeliveries(batch), {
    max: 128,
    parallel: 4,
  });
  const active = new Set<Promise<void>>();

  function track(work: Promise<void>, { uuid, storage }: Pick<Attempt, "uuid" | "storage">): void {
    const running = work.catch((error) => {
      // nothing is lost: the pair comes up again when its lease is over
      deps.log.warn("delivery could not be recorded", { uuid, storage, error });
    });
    active.add(running);
    void running.finally(() => active.delete(running));
  }

  async function deliver(first: Attempt): Promise<void> {
    for (let attempt = first; ; ) {
      const result = await tryOnce(attempt);
      const rev = attempt.document?.rev ?? 0;
      const { uuid, storage, action } = attempt;
      const outcome: DeliveryOutcome = await reports.add({ uuid, storage, action, rev, result });
      if (outcome.kind === "settled") return;
      const { vcon: _, ...rest } = attempt;
      attempt = { ...rest, action: "save", attempt: 0, document: outcome.document };
    }
  }

  async function tryOnce(attempt: Attempt): Promise<DeliveryReport["result"]> {
    const { storages } = deps.runtime();
    const { uuid, storage, action, document } = attempt;
    try {
      if (action === "delete") await storages.remove(storage, uuid);
      else if (document) await storages.save(storage, storedVcon(attempt, document));
      else throw attempt.fault ?? lostCopy(uuid, storage);
      const { chain, attempt: attempts } = attempt;
      if (attempts > 0) deps.emit({ type: "storage.recovered", uuid, storage, chain, attempts });
      return { kind: "done" };
    } catch (error) {
      return failed(attempt, asVconError(error, "VCON_STORAGE_DOWN", `storage ${storage}, ${action} ${uuid}`));
    }
  }

  function failed(attempt: Attempt, error: VconError): DeliveryReport["result"] {
    const runtime = deps.runtime();
    const plan = runtime.storages.plans.get(attempt.storage);
    const now = deps.clock.now();
    const tooLate = plan !== undefined && now - attempt.since >= plan.giveUpAfter;
    deps.emit({ type: "storage.failed", uuid: attempt.uuid, storage: attempt.storage, chain: attempt.chain, error });
    if (error.retryable && !tooLate) {
      const policy = plan?.retries ?? { maxAttempts: 1, initialDelay: 30_000, maxDelay: 30_000, multiplier: 1 };
      const delay = Math.max(backoff(policy, attempt.attempt + 1, deps.random), (error.retryAfterSecs ?? 0) * 1000, 50);
      return { kind: "again", delay, code: error.code, message: error.message, counts: true };
    }
    const reason = tooLate
      ? new VconError("VCON_STORAGE_GAVE_UP", `storage ${attempt.storage} did not accept ${attempt.uuid} in time`, {
          cause: error,
        })
      : error;
    deps.log.error("delivery given up", {
      uuid: attempt.uuid,
      storage: attempt.storage,
      code: reason.code,
      error: error.message,
    });
    const { uuid, chain, storage } = attempt;
    const facts = { uuid, chain, storage, list: "", kind: "storage" as const, attempt: attempt.attempt + 1, at: now };
    const record = deadLetter({ ...facts, error: reason, config: runtime.plan.version, worker: deps.worker });
    return { kind: "dead", dlq: attempt.dlq, record };
  }

  const versionFor = (chain: string) =>
    deps.runtime().plan.chains.find(({ name }) => name === chain)?.egressVersion ?? deps.egressVersion;

  return {
    start({ uuid, chain, list, storages, document }) {
      const common = {
        uuid,
        chain: chain.name,
        action: "save" as const,
        attempt: 0,
        since: deps.clock.now(),
        dlq: dlqOf(chain, list),
      };
      const { rev, bytes, vcon } = document;
      const egressVersion = chain.egressVersion ?? deps.egressVersion;
      const attempts = storages.map(
        (storage): Attempt => ({ ...common, storage, document: { uuid, rev, bytes }, vcon, egressVersion }),
      );
      // more than fits into memory goes back to the backend at once; whoever has room takes it from there
      const send = active.size < deps.capacity ? deliver : handBack;
      if (deps.parallel) for (const attempt of attempts) track(send(attempt), attempt);
      else if (attempts[0]) track(inTurn(attempts, send), attempts[0]);
    },
    async poll() {
      const room = deps.capacity - active.size;
      if (room <= 0) return false;
      const plans = [...deps.runtime().storages.plans.values()];
      const lease = Math.max(0, ...plans.map(({ timeout }) => timeout)) + LEASE_MARGIN;
      const max = Math.min(room, 64);
      const tasks = await deps.backend.claimDeliveries(max, lease);
      for (const task of tasks) track(deliver({ ...task, egressVersion: versionFor(task.chain) }), task);
      return tasks.length === max;
    },
    idle: async () => {
      while (active.size > 0) await Promise.all(active);
    },
  };

  async function handBack({ uuid, storage, action, document }: Attempt): Promise<void> {
    const result = {
      kind: "again" as const,
      delay: 0,
      code: "VCON_STORAGE_DOWN",
      message: "waiting for room",
      counts: false,
    };
    await reports.add({ uuid, storage, action, rev: document?.rev ?? 0, result });
  }
}

/** The working copy that a storage still needs is not there; deleting a vCon withdraws its deliveries instead. */
const lostCopy = (uuid: VconUuid, storage: string): VconError =>
  new VconError(
    "VCON_NOT_LOADED",
    `delivering ${uuid} to storage ${storage}: its working copy is gone without having been deleted here ` +
      "(removed or evicted by another program, or damaged on disk); submit the vCon again, then retry this entry",
  );

async function inTurn(attempts: readonly Attempt[], send: (attempt: Attempt) => Promise<void>): Promise<void> {
  for (const attempt of attempts) await send(attempt);
}

/** The document in the version this exit writes; parsed only for storages that look inside. */
function storedVcon({ uuid, egressVersion, vcon }: Attempt, document: Document): StoredVcon {
  const rev = typeof document.rev === "number" ? document.rev : 0;
  let parsed = vcon;
  const parse = (): Vcon => {
    const whole = parsed ?? parseVcon(document.bytes);
    parsed = whole;
    return whole;
  };
  if (egressVersion === undefined) {
    return {
      uuid,
      rev,
      bytes: document.bytes,
      get vcon() {
        return parse();
      },
    };
  }
  const written = downgrade(parse(), egressVersion);
  return { uuid, rev, bytes: toBytes(written), vcon: written };
}
