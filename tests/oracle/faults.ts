import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "./producer.ts";
import { between, type Random, seeded } from "./random.ts";

/** Something bad that can be done to a running server. */
export interface Fault {
  readonly name: string;
  /**
   * Does it once, undoing what must be undone. Returns how many times it really hit something; throws when a promise
   * that holds during the fault was broken.
   */
  inject(random: Random, ledger: Ledger): Promise<number>;
}

export interface FaultPlan {
  readonly fault: Fault;
  readonly times: number;
  /** Milliseconds between two of them: at least, at most. */
  readonly pause: readonly [number, number];
}

interface Injection {
  readonly seed: number;
  /** What the producer knows so far. */
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

/** Carries out the plans side by side, each at its own seeded moments. Resolves with how many hit. */
export async function injectAll(plans: readonly FaultPlan[], injection: Injection): Promise<number> {
  const hits = await Promise.all(plans.map((plan) => injectOne(plan, injection)));
  return hits.reduce((sum, count) => sum + count, 0);
}

async function injectOne({ fault, times, pause }: FaultPlan, { seed, ledger, signal }: Injection): Promise<number> {
  const random = seeded(seed, `fault ${fault.name}`);
  let hits = 0;
  for (let done = 0; done < times && !signal.aborted; done++) {
    await sleep(between(random, ...pause));
    hits += await fault.inject(random, ledger);
  }
  return hits;
}

/** `FAULTS=long` runs the counts that promises.md names; otherwise enough to prove the point in seconds. */
export const scaled = (short: number, long: number): number => (process.env["FAULTS"] === "long" ? long : short);

/** Milliseconds a fault test may take in all. */
export const FAULT_TEST_MS = scaled(300_000, 3_600_000);
