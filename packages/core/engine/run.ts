import { type Json, parseVcon, serialize, upgradeVcon, type Vcon } from "@vcon-server/vcon";
import type { Checkpoint, Claim, Document } from "../backend/backend.ts";
import type { ChainPlan, EgressVersion } from "../config/plan.ts";
import { asVconError, VconError } from "../errors/index.ts";
import type { Clock, Outcome, RunFacts } from "../plugin/link.ts";
import { backoff, withTimeout } from "../resilience/index.ts";
import { checkedOutcome, soundResult } from "./outcome.ts";
import type { PreparedStep, Runtime } from "./runtime.ts";
import { waitingFor } from "./used-up.ts";
import { monotonic, type Watch } from "./watch.ts";

/** What a run of a chain on one vCon has come to, before anything is written. */
export interface Progress {
  /** The document the run began with; changes are merged against it. */
  readonly base: Document;
  readonly baseVcon: Vcon;
  readonly vcon: Vcon;
  /** Next link to run. */
  readonly index: number;
  /** Failed tries of that link. */
  readonly attempt: number;
  /** Since when that link waits for a service whose limit is used up; milliseconds since 1970. */
  readonly waitingSince: number | undefined;
  /** What the last try of that link noted. */
  readonly memo: Json | undefined;
  readonly sendTo: readonly string[];
  readonly expireIn: number | undefined;
}

/** How a run ends, as a decision; `finish` writes it down. */
export type RunEnd =
  | { readonly kind: "done"; readonly progress: Progress }
  | { readonly kind: "halted"; readonly progress: Progress; readonly reason: string; readonly link: string }
  | { readonly kind: "failed"; readonly progress: Progress; readonly link: string; readonly error: VconError }
  | {
      readonly kind: "later";
      readonly progress: Progress;
      readonly delay: number;
      readonly link: string;
      readonly error: VconError;
    }
  | { readonly kind: "stopped"; readonly progress: Progress }
  /** The lease moved on, or the vCon was deleted: nothing of this run may be written. */
  | { readonly kind: "lost"; readonly progress: Progress };

/** How one run of one link ended. */
export interface LinkEvent {
  readonly link: string;
  readonly outcome: "forward" | "halt" | "error" | "skip";
  readonly ms: number;
  /** The reason a link gave for leaving the vCon as it came. */
  readonly unchanged?: string;
}

export interface RunContext {
  readonly claim: Claim;
  readonly chain: ChainPlan;
  readonly runtime: Runtime;
  /** The deployment's version at exits; a chain's own comes first. */
  readonly egressVersion: EgressVersion | undefined;
  /** Aborted when the worker must let go of its runs. */
  readonly stop: AbortSignal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly watch: Pick<Watch, "begin">;
  /** Keeps the result so far; false when the lease is gone and the run must end silently. */
  readonly checkpoint: (progress: Progress) => Promise<boolean>;
  /** Told after each link. */
  readonly observe: (event: LinkEvent) => void;
}

/** Where a run begins: at the first link, or where a checkpoint of a former try left off. */
export function resume(
  document: Document,
  checkpoint: Checkpoint | undefined,
  steps: readonly { readonly name: string }[],
): Progress {
  const begin = (base: Document, index = 0): Progress => {
    // other programs may have put it there, in older names
    const vcon = upgradeVcon(parseVcon(base.bytes));
    return { base, baseVcon: vcon, vcon, index, ...FIRST_TRY, sendTo: [], expireIn: undefined };
  };
  if (!checkpoint) return begin(document);
  const sameStep = steps[checkpoint.index]?.name === checkpoint.link;
  const index = sameStep ? checkpoint.index : steps.findIndex(({ name }) => name === checkpoint.link);
  // the configuration has changed so much that the link is no longer there: what it made is kept, the rest starts over
  const at = Math.max(0, index);
  const { attempt, waitingSince, memo, sendTo, expireIn } = checkpoint;
  const tries = index < 0 ? FIRST_TRY : { attempt, waitingSince, memo };
  const rest = { index: at, ...tries, sendTo, expireIn };
  if (checkpoint.json === undefined) return { ...begin(document), ...rest };
  const sameBase = checkpoint.base === document.rev || checkpoint.baseJson === undefined;
  const base = sameBase
    ? document
    : { ...document, rev: checkpoint.base ?? document.rev, bytes: new TextEncoder().encode(checkpoint.baseJson) };
  return { ...begin(base), vcon: parseVcon(checkpoint.json), ...rest };
}

/** Where a link stands that has not been tried. */
const FIRST_TRY = { attempt: 0, waitingSince: undefined, memo: undefined };

/** The checkpoint that `resume` turns back into this progress. */
export function checkpointOf(
  { base, baseVcon, vcon, index, attempt, waitingSince, memo, sendTo, expireIn }: Progress,
  at: { config: string; link: string },
): Checkpoint {
  const changed = vcon !== baseVcon;
  return {
    ...at,
    index,
    attempt,
    base: base.rev,
    ...(changed && { json: serialize(vcon), baseJson: new TextDecoder().decode(base.bytes) }),
    sendTo,
    ...(waitingSince !== undefined && { waitingSince }),
    ...(memo !== undefined && { memo }),
    ...(expireIn !== undefined && { expireIn }),
  };
}

/** Runs the links from where the progress stands to the end of the chain. Never throws for what a link does. */
export async function runChain(start: Progress, context: RunContext): Promise<RunEnd> {
  const steps = context.runtime.steps.get(context.chain.name) ?? [];
  const deadline = context.chain.timeout === undefined ? Infinity : monotonic() + context.chain.timeout;
  let progress = start;
  const begun = progress.index === 0 && (await trace(context, progress, { after: progress.vcon, outcome: "start" }));
  if (begun) return { kind: "failed", progress, ...begun };
  for (;;) {
    const step = steps[progress.index];
    if (!step) return { kind: "done", progress };
    if (context.stop.aborted) return { kind: "stopped", progress };
    const { result, kept, memo } = await runStep(step, { progress, deadline, context });
    if (result instanceof VconError) {
      progress = { ...progress, vcon: kept, memo };
      const end = afterFailure(step, { progress, error: result, context });
      if (end) return end;
      progress = { ...progress, index: progress.index + 1, ...FIRST_TRY };
      continue;
    }
    const next = advance(progress, result);
    const refused = await trace(context, progress, { link: step.name, after: next.vcon, outcome: result.kind });
    if (refused) return { kind: "failed", progress: { ...progress, memo }, ...refused };
    if (result.kind === "halt") return { kind: "halted", progress: next, reason: result.reason, link: step.name };
    progress = next;
    const keep = step.plugin.effect && steps[progress.index] !== undefined;
    if (keep && !(await context.checkpoint(progress))) return { kind: "lost", progress };
  }
}

/** What a link's outcome makes of the progress. Pure. */
export function advance(progress: Progress, outcome: Outcome): Progress {
  const sendTo = outcome.sendTo?.length ? [...new Set([...progress.sendTo, ...outcome.sendTo])] : progress.sendTo;
  return {
    ...progress,
    vcon: outcome.vcon ?? progress.vcon,
    index: progress.index + 1,
    ...FIRST_TRY,
    sendTo,
    expireIn: outcome.expireIn ?? progress.expireIn,
  };
}

interface Failure {
  readonly progress: Progress;
  readonly error: VconError;
  readonly context: RunContext;
}

/** Retry, skip, give up or let go; `undefined` = skip the link and go on. */
function afterFailure(step: PreparedStep, { progress, error, context }: Failure): RunEnd | undefined {
  if (error.code === "VCON_LEASE_LOST") return { kind: "lost", progress };
  if (context.stop.aborted) return { kind: "stopped", progress };
  const link = step.name;
  const waitingSince = waitingFor(step, { since: progress.waitingSince, error, now: context.clock.now() });
  if (waitingSince !== undefined) {
    const delay = waitFor(error, context.random() * step.retries.maxDelay, context.random);
    return { kind: "later", progress: { ...progress, waitingSince }, delay, link, error };
  }
  const attempt = progress.attempt + 1;
  if (error.retryable && attempt < step.retries.maxAttempts) {
    const delay = waitFor(error, backoff(step.retries, attempt, context.random), context.random);
    return { kind: "later", progress: { ...progress, attempt }, delay, link, error };
  }
  if (step.onError === "skip") {
    step.log.warn("link failed and is skipped", { uuid: context.claim.uuid, code: error.code, error: error.message });
    context.observe({ link: step.name, outcome: "skip", ms: 0 });
    return undefined;
  }
  return { kind: "failed", progress: { ...progress, attempt }, link, error };
}

/** Not before the service asked for, and not all at once. */
const waitFor = ({ retryAfterSecs = 0 }: VconError, delay: number, random: () => number): number =>
  Math.max(delay, retryAfterSecs * 1000 * (1 + random() / 10));

interface StepCall {
  readonly progress: Progress;
  readonly deadline: number;
  readonly context: RunContext;
}

interface StepResult {
  readonly result: Outcome | VconError;
  /** What the link had kept when it failed. */
  readonly kept: Vcon;
  /** What it noted last. */
  readonly memo: Json | undefined;
}

async function runStep(step: PreparedStep, { progress, deadline, context }: StepCall): Promise<StepResult> {
  let { vcon: kept, memo } = progress;
  const began = monotonic();
  const ms = Math.min(step.timeout, deadline - began);
  const late = () =>
    ms < step.timeout
      ? new VconError(
          "VCON_CHAIN_TIMEOUT",
          `chain ${context.chain.name} took over ${context.chain.timeout} ms, in link ${step.name}`,
        )
      : new VconError("VCON_LINK_TIMEOUT", `link ${step.name} took over ${step.timeout} ms`);
  const end = context.watch.begin(`${context.chain.name}/${step.name} on ${context.claim.uuid}`, began + ms);
  try {
    // most links are done when they return: a timer and a signal are made only for those that are not
    let controller: AbortController | undefined;
    const returned = step.plugin.run({
      vcon: progress.vcon,
      options: step.options,
      deps: step.deps,
      log: step.log,
      run: factsOf(step, progress, context),
      get signal() {
        controller ??= new AbortController();
        return controller.signal;
      },
      fetch: step.fetch,
      clock: context.clock,
      random: context.random,
      keep: async (vcon) => {
        kept = soundResult(step.name, vcon, kept);
        if (await context.checkpoint({ ...progress, vcon: kept, memo })) return;
        throw new VconError("VCON_LEASE_LOST", `the lease of ${context.claim.uuid} moved on to another worker`);
      },
      memo,
      note: (noted) => {
        memo = noted;
      },
      state: step.state,
    });
    const follow = (signal: AbortSignal) => {
      signal.addEventListener("abort", () => controller?.abort(signal.reason), { once: true });
      return returned as Promise<Outcome>;
    };
    const outcome =
      returned instanceof Promise ? await withTimeout({ ms, error: late, signal: context.stop }, follow) : returned;
    const result = checkedOutcome(step.name, outcome, progress.vcon);
    const unchanged = result.kind === "forward" && result.unchanged !== undefined && { unchanged: result.unchanged };
    context.observe({ link: step.name, outcome: result.kind, ms: monotonic() - began, ...unchanged });
    return { result, kept, memo };
  } catch (error) {
    context.observe({ link: step.name, outcome: "error", ms: monotonic() - began });
    return { result: asVconError(error, "VCON_LINK_FAILED", `link ${step.name}`), kept, memo };
  } finally {
    end();
  }
}

const factsOf = (step: PreparedStep, { attempt }: Progress, { claim, chain, egressVersion }: RunContext): RunFacts => ({
  uuid: claim.uuid,
  chain: chain.name,
  link: step.name,
  attempt: attempt + 1,
  jsonBodies: chain.jsonBodies,
  egressVersion: chain.egressVersion ?? egressVersion,
});

interface Traced {
  readonly link?: string;
  readonly after: Vcon;
  readonly outcome: "start" | "forward" | "halt";
}

/** Tells the chain's tracers. Only a tracer that asks for it (`dlq_vcon_on_error`) can fail the vCon. */
async function trace(context: RunContext, before: Progress, { link, after, outcome }: Traced) {
  for (const name of context.chain.tracers) {
    const tracer = context.runtime.tracers.get(name);
    if (!tracer) continue;
    const at = { ...(link !== undefined && { link }), index: link === undefined ? -1 : before.index };
    const step = { uuid: context.claim.uuid, chain: context.chain.name, ...at, outcome, before: before.vcon, after };
    try {
      await tracer.handle.trace(step, { signal: context.stop });
    } catch (cause) {
      const error = asVconError(cause, "VCON_TRACER_FAILED", `tracer ${name}`);
      if (tracer.strict) return { link: link ?? name, error };
      context.runtime.log.warn("tracer failed", { tracer: name, uuid: context.claim.uuid, error: error.message });
    }
  }
  return undefined;
}
