import type { Plan } from "../config/plan.ts";
import { type Network, openNetwork } from "../network/index.ts";
import type { Logger } from "../telemetry/logger.ts";
import { openRuntime, type Runtime } from "./runtime.ts";

/** The runtime of the current configuration, and those of former ones until their last run has ended. */
export interface Runtimes {
  current(): Runtime;
  /** Keeps a runtime open; the returned function lets it go. */
  hold(runtime: Runtime): () => void;
  /** Swaps in a new configuration for new runs. Fails as a whole and then leaves the current one in place. */
  replace(plan: Plan): Promise<Runtime>;
  close(): Promise<void>;
}

interface Kept {
  readonly runtime: Runtime;
  holds: number;
  retired: boolean;
}

export async function createRuntimes(plan: Plan, log: Logger, network: Network = openNetwork()): Promise<Runtimes> {
  const kept = new Map<Runtime, Kept>();
  const keep = (runtime: Runtime): Runtime => {
    kept.set(runtime, { runtime, holds: 0, retired: false });
    return runtime;
  };
  let current = keep(await openRuntime(plan, log, network));

  function closeIfDone(entry: Kept): void {
    if (!entry.retired || entry.holds > 0 || !kept.delete(entry.runtime)) return;
    void entry.runtime.close().catch((error) => log.warn("closing a former configuration failed", { error }));
  }

  return {
    current: () => current,
    hold(runtime) {
      const entry = kept.get(runtime);
      if (!entry) return () => undefined;
      entry.holds++;
      return () => {
        entry.holds--;
        closeIfDone(entry);
      };
    },
    async replace(next) {
      const former = kept.get(current);
      current = keep(await openRuntime(next, log, network));
      if (former) {
        former.retired = true;
        closeIfDone(former);
      }
      return current;
    },
    async close() {
      await Promise.allSettled([...kept.keys()].map((runtime) => runtime.close()));
      await network.close();
    },
  };
}
