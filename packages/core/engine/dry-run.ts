import { parseVcon, type Vcon } from "@vcon-server/vcon";
import type { ChainPlan, Plan } from "../config/plan.ts";
import type { VconError } from "../errors/index.ts";
import type { Network } from "../network/index.ts";
import type { Clock } from "../plugin/link.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type LinkEvent, type Progress, type RunContext, type RunEnd, resume, runChain } from "./run.ts";
import { openRuntime } from "./runtime.ts";
import type { Watch } from "./watch.ts";

/** A chain to run on a document without a backend: nothing is stored, queued or delivered. */
export interface DryRunOf {
  readonly plan: Plan;
  readonly chain: ChainPlan;
  /** UTF-8 JSON of the vCon, as it would be stored. */
  readonly bytes: Uint8Array;
  /** What links reach; storages are not opened. */
  readonly network: Network;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What would have come of it. */
export interface DryRun {
  readonly outcome: "forward" | "halt" | "dead";
  /** Where it ended, and why; absent when it went through. */
  readonly link?: string;
  readonly reason?: string;
  readonly error?: VconError;
  readonly before: Vcon;
  readonly after: Vcon;
  readonly sentTo: readonly string[];
  readonly storedIn: readonly string[];
  readonly egress: readonly string[];
  /** Each run of each link, tries included. */
  readonly steps: readonly LinkEvent[];
}

const UNWATCHED: Pick<Watch, "begin"> = { begin: () => () => undefined };

/** Runs the chain as the engine would, tries included: what the engine would wait before the next one passes on the clock. */
export async function dryRun(of: DryRunOf): Promise<DryRun> {
  const { plan, chain, bytes, network, clock, log, signal } = of;
  // only what this chain needs is set up
  const runtime = await openRuntime({ ...plan, chains: [{ ...chain, enabled: true }] }, log, network);
  const steps: LinkEvent[] = [];
  try {
    const vcon = parseVcon(bytes);
    const document = { uuid: vcon.uuid, rev: 1, bytes };
    const claim = { ...ENTRY, list: chain.ingressLists[0] ?? "", chain: chain.name, uuid: vcon.uuid, document };
    const context: RunContext = {
      claim,
      chain,
      runtime,
      egressVersion: undefined,
      stop: signal,
      clock,
      random: of.random,
      watch: UNWATCHED,
      checkpoint: async () => true,
      observe: (step) => void steps.push(step),
    };
    const end = await lastEnd(resume(document, undefined, chain.links), context);
    return { ...ended(end, chain), before: end.progress.baseVcon, after: end.progress.vcon, steps };
  } finally {
    await runtime.close();
  }
}

const ENTRY = { entry: "1", token: 1, attempt: 0, deaths: 0, checkpoint: undefined } as const;

async function lastEnd(start: Progress, context: RunContext): Promise<RunEnd> {
  for (let progress = start; ; ) {
    const end = await runChain(progress, context);
    if (end.kind !== "later") return end;
    await context.clock.sleep(end.delay, context.stop);
    progress = end.progress;
  }
}

function ended(end: RunEnd, chain: ChainPlan) {
  const { sendTo } = end.progress;
  const nowhere = { sentTo: [], storedIn: [], egress: [] };
  switch (end.kind) {
    case "done":
      return { outcome: "forward" as const, sentTo: sendTo, storedIn: chain.storages, egress: chain.egressLists };
    case "halted":
      return { ...nowhere, outcome: "halt" as const, sentTo: sendTo, link: end.link, reason: end.reason };
    case "failed":
      return { ...nowhere, outcome: "dead" as const, link: end.link, error: end.error };
    default:
      throw new Error(`a dry run ended as ${end.kind}, which only a worker can bring about`);
  }
}
