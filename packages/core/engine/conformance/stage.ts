import { parseVcon, type Vcon, type VconUuid, withTags } from "@vcon-server/vcon";
import { expect } from "vitest";
import { z } from "zod";
import type { Backend, DeadLetter } from "../../backend/backend.ts";
import { freshList, submitOne } from "../../backend/conformance/samples.ts";
import type { ChainPlan, LinkStep, StoragePlan } from "../../config/plan.ts";
import { VconError } from "../../errors/index.ts";
import { defineLink, forward, type Link } from "../../plugin/link.ts";
import { defineStorage, type StorageHandle } from "../../plugin/storage.ts";
import { systemClock } from "../../resilience/index.ts";
import { silent } from "../../telemetry/logger.ts";
import { createRuntimes } from "../runtimes.ts";
import { createWatch } from "../watch.ts";
import { type ChainWorker, createWorker, type SuspectsMode } from "../worker.ts";

const noOptions = z.strictObject({});

/** A link made of a function. */
export const link = (name: string, run: Link["run"], effect = false): Link =>
  defineLink({ name, summary: `Does what ${name} says.`, options: noOptions, effect, run });

export const tagging = (value: string): Link =>
  link(`tag_${value}`, ({ vcon }) => forward(withTags(vcon, [{ name: value, value }])));

export const failing = (error: unknown): Link =>
  link("failing", () => {
    throw error;
  });

export const refusing = failing(new VconError("VCON_LINK_REFUSED", "this will never work"));

export const step = (plugin: Link, changes: Partial<LinkStep> = {}): LinkStep => ({
  name: plugin.name,
  plugin,
  options: {},
  timeout: 5_000,
  retries: { maxAttempts: 3, initialDelay: 1, maxDelay: 5, multiplier: 1, quotaWait: 60_000 },
  onError: "dlq",
  ...changes,
});

/** A storage in memory that can be broken and mended. */
export function breakable(name: string) {
  const kept = new Map<VconUuid, { vcon: Vcon; rev: number }>();
  const state = { broken: false, saves: 0 };
  const check = () => {
    if (state.broken) throw new VconError("VCON_STORAGE_DOWN", `${name} does not answer`);
  };
  const handle: StorageHandle = {
    async save({ uuid, vcon, rev }) {
      state.saves++;
      check();
      kept.set(uuid, { vcon, rev });
    },
    async load(uuid) {
      check();
      return kept.get(uuid)?.vcon;
    },
    async delete(uuid) {
      check();
      kept.delete(uuid);
    },
  };
  const plan: StoragePlan = {
    name,
    plugin: defineStorage({ name, summary: "In memory.", options: noOptions, open: () => handle }),
    options: {},
    timeout: 2_000,
    retries: { maxAttempts: Number.POSITIVE_INFINITY, initialDelay: 20, maxDelay: 100, multiplier: 1 },
    breaker: { failures: 1_000, reset: 10 },
    read: true,
    giveUpAfter: 60_000,
  };
  return { plan, kept, state };
}

export interface Stage {
  readonly backend: Backend;
  readonly chain: ChainPlan;
  readonly list: string;
  readonly egress: string;
  worker(options?: { readonly suspects?: SuspectsMode }): Promise<RunningWorker>;
  submit(content?: Readonly<Record<string, unknown>>): Promise<VconUuid>;
  document(uuid: VconUuid): Promise<Vcon | undefined>;
  deadLetters(): Promise<DeadLetter[]>;
}

export interface RunningWorker {
  readonly owner: string;
  readonly worker: ChainWorker;
  readonly ended: Promise<void>;
  stop(grace?: number): Promise<void>;
}

let owners = 0;

/** One chain of these links on lists of its own, over a real backend. */
export function stage(
  backend: Backend,
  links: readonly LinkStep[],
  changes: Partial<ChainPlan> & { storages?: readonly string[] } = {},
  storages: readonly StoragePlan[] = [],
): Stage {
  const list = freshList("in");
  const egress = freshList("out");
  const chain: ChainPlan = {
    name: freshList("chain"),
    enabled: true,
    ingressLists: [list],
    links,
    storages: storages.map(({ name }) => name),
    required: storages.map(({ name }) => name),
    egressLists: [egress],
    tracers: [],
    timeout: undefined,
    concurrency: undefined,
    dlqName: `${list}_dlq`,
    onHalt: "expire",
    egressVersion: undefined,
    jsonBodies: "text",
    profile: "tolerant",
    ...changes,
  };

  async function worker({ suspects }: { readonly suspects?: SuspectsMode } = {}): Promise<RunningWorker> {
    const owner = `test-${process.pid}-${++owners}`;
    const plan = { version: "test", chains: [chain], storages, tracers: [], ingressAuth: new Map(), shown: {} };
    const runtimes = await createRuntimes(plan, silent);
    const watch = createWatch();
    const beating = setInterval(() => void backend.heartbeat(owner, [list]).catch(() => undefined), 200);
    const created = createWorker({
      backend,
      runtimes,
      owner,
      settings: {
        concurrency: 16,
        redisExpiry: 3_600_000,
        egressVersion: undefined,
        storageFallback: true,
        parallelStorage: true,
      },
      clock: systemClock,
      random: () => 0.5,
      log: silent,
      watch,
      emit: () => undefined,
      ...(suspects && { suspects }),
    });
    const ended = created.run().finally(() => {
      clearInterval(beating);
      watch.stop();
    });
    const stop = async (grace = 5_000) => {
      created.stop(grace);
      await ended;
      await runtimes.close();
    };
    return { owner, worker: created, ended, stop };
  }

  return {
    backend,
    chain,
    list,
    egress,
    worker,
    submit: (content) => {
      const uuid = crypto.randomUUID() as VconUuid;
      return submitOne(backend, [list], {
        uuid,
        content: { uuid, vcon: "0.4.0", created_at: "2026-01-02T03:04:05Z", parties: [], ...content },
      });
    },
    async document(uuid) {
      const [found] = await backend.read([uuid]);
      return found && parseVcon(found.bytes);
    },
    deadLetters: () => backend.deadLetters({ dlq: `${list}_dlq`, offset: 0, limit: 100 }),
  };
}

/** Waits until something holds; the test's own time limit ends the wait. */
export async function eventually(check: () => Promise<void> | void): Promise<void> {
  await expect
    .poll(
      async () =>
        Promise.resolve(check()).then(
          () => "holds",
          (error: unknown) => String(error),
        ),
      { timeout: 15_000, interval: 20 },
    )
    .toBe("holds");
}
