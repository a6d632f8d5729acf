import type { LinkStep, Plan } from "../config/plan.ts";
import { asVconError } from "../errors/index.ts";
import { type Fetch, type Network, openNetwork } from "../network/index.ts";
import type { TracerHandle } from "../plugin/tracer.ts";
import { type Logger, withFields } from "../telemetry/logger.ts";
import { loadDependencies } from "./dependencies.ts";
import { servicesOf } from "./services-of.ts";
import { openStorages, type StorageSet } from "./storages.ts";

/** A link of one chain with its packages loaded and its `setup` done. */
export interface PreparedStep extends LinkStep {
  readonly deps: Readonly<Record<string, unknown>>;
  readonly state: unknown;
  readonly fetch: Fetch;
  readonly log: Logger;
}

/** One version of the configuration, brought to life in this process. Runs finish on the version they began with. */
export interface Runtime {
  readonly plan: Plan;
  /** Steps by chain name, in order. */
  readonly steps: ReadonlyMap<string, readonly PreparedStep[]>;
  readonly storages: StorageSet;
  readonly log: Logger;
  readonly tracers: ReadonlyMap<string, { readonly handle: TracerHandle; readonly strict: boolean }>;
  close(): Promise<void>;
}

async function prepareStep(step: LinkStep, log: Logger, network: Network): Promise<PreparedStep> {
  const deps = await loadDependencies(step.plugin);
  const stepLog = withFields(log, { link: step.name });
  try {
    const fetch = network.fetchFor(servicesOf(step));
    const state = await step.plugin.setup?.({ options: step.options, deps, log: stepLog, fetch });
    return { ...step, deps, state, fetch, log: stepLog };
  } catch (error) {
    throw asVconError(error, "VCON_CONFIG_PLUGIN", `setting up link ${step.name}`);
  }
}

/** Loads and sets up everything a plan names. Fails as a whole: nothing runs half-configured. */
export async function openRuntime(plan: Plan, log: Logger, network: Network = openNetwork()): Promise<Runtime> {
  const steps = new Map<string, readonly PreparedStep[]>();
  const prepared: PreparedStep[] = [];
  const closers: (() => void | Promise<void>)[] = [];
  const close = async () => {
    await Promise.allSettled(prepared.map((step) => step.plugin.teardown?.(step.state)));
    await Promise.allSettled(closers.map((closer) => closer()));
  };
  try {
    for (const chain of plan.chains.filter(({ enabled }) => enabled)) {
      const own: PreparedStep[] = [];
      for (const step of chain.links) {
        const ready = await prepareStep(step, log, network);
        prepared.push(ready);
        own.push(ready);
      }
      steps.set(chain.name, own);
    }
    const tracers = new Map<string, { handle: TracerHandle; strict: boolean }>();
    for (const { name, plugin, options } of plan.tracers) {
      const handle = await plugin.open({
        options,
        deps: await loadDependencies(plugin),
        log: withFields(log, { tracer: name }),
        fetch: network.fetchFor(servicesOf({ plugin, options })),
      });
      closers.push(() => handle.close?.());
      tracers.set(name, { handle, strict: options["dlq_vcon_on_error"] === true });
    }
    const storages = openStorages(plan.storages, log, network);
    closers.push(() => storages.close());
    return { plan, steps, storages, tracers, log, close };
  } catch (error) {
    await close();
    throw error;
  }
}
