import type { ChainPlan, Plan } from "../config/plan.ts";
import { quotas } from "./quotas.ts";

/** An ingress list with the chain that consumes it. */
export interface List {
  readonly name: string;
  readonly chain: ChainPlan;
}

/** How much to claim from which list, remembering what runs and which lists had more. */
export interface Scheduler {
  /** All lists of enabled chains. Rotates, so that with fewer free slots than lists each one has its turn. */
  lists(): List[];
  /** What a claim may take now, list by list. */
  wanted(lists: readonly List[]): Wanted[];
  /** Learns from what a claim brought which lists have more waiting. */
  learn(wanted: readonly Wanted[], got: Iterable<string>): void;
  begun(list: string): void;
  ended(list: string): void;
}

export interface Wanted {
  readonly name: string;
  readonly chain: string;
  readonly max: number;
}

interface Limits {
  /** Runs at a time. */
  readonly slots: number;
  /** Entries per claim. */
  readonly batch: number;
}

export function createScheduler(plan: () => Plan, { slots, batch }: Limits): Scheduler {
  const running = new Map<string, number>();
  const hungry = new Set<string>();
  let turn = 0;

  const runs = (list: string): number => running.get(list) ?? 0;

  /** Runs the chain of a list allows for that list, its other lists considered. */
  function limitOf({ name, chain }: List): number {
    if (chain.concurrency === undefined) return Number.POSITIVE_INFINITY;
    const elsewhere = chain.ingressLists.filter((list) => list !== name).reduce((sum, list) => sum + runs(list), 0);
    return chain.concurrency - elsewhere;
  }

  return {
    lists() {
      const chains = plan().chains.filter(({ enabled }) => enabled);
      const all = chains.flatMap((chain) => chain.ingressLists.map((name) => ({ name, chain })));
      const at = all.length === 0 ? 0 : turn++ % all.length;
      return [...all.slice(at), ...all.slice(0, at)];
    },
    wanted(lists) {
      const loads = lists.map((list) => ({
        running: runs(list.name),
        hungry: hungry.has(list.name),
        limit: limitOf(list),
      }));
      const shares = quotas(loads, { slots, most: batch });
      return lists
        .map(({ name, chain }, at) => ({ name, chain: chain.name, max: shares[at] ?? 0 }))
        .filter(({ max }) => max > 0);
    },
    learn(wanted, got) {
      const counts = new Map<string, number>();
      for (const list of got) counts.set(list, (counts.get(list) ?? 0) + 1);
      for (const { name, max } of wanted) {
        if ((counts.get(name) ?? 0) >= max) hungry.add(name);
        else hungry.delete(name);
      }
    },
    begun: (list) => void running.set(list, runs(list) + 1),
    ended: (list) => void running.set(list, Math.max(0, runs(list) - 1)),
  };
}
