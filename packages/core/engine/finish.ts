import { indexOf, mergeVcons, parseVcon, toBytes, upgradeVcon, type Vcon, withUpdatedAt } from "@vcon-server/vcon";
import type { Backend, Change, Document, Ending, Expiry, Lease, Revision, SettleResult } from "../backend/backend.ts";
import { type ChainPlan, dlqOf } from "../config/plan.ts";
import type { VconError } from "../errors/index.ts";
import { claimFacts, deadLetter } from "./records.ts";
import { checkpointOf, type Progress, type RunContext, type RunEnd } from "./run.ts";

export interface FinishContext extends Pick<RunContext, "claim" | "chain" | "clock"> {
  readonly config: string;
  readonly worker: string;
  /** Milliseconds a copy stays after every required storage has it. */
  readonly redisExpiry: number;
  /** Milliseconds the first attempt at the deliveries may take. */
  readonly deliveryLease: number;
  readonly settle: (ending: Ending) => Promise<SettleResult>;
  readonly backend: Pick<Backend, "read" | "restore">;
}

/** What a finished run leaves to be done: the stored document and the storages this process must send it to now. */
export interface Finished {
  readonly kind: "ok" | "lost" | "gone";
  readonly document?: { readonly rev: Revision; readonly bytes: Uint8Array; readonly vcon: Vcon };
  readonly deliver: readonly string[];
  /** What a merge could not reconcile. */
  readonly conflicts: number;
}

interface Draft {
  readonly vcon: Vcon;
  readonly bytes: Uint8Array;
  readonly change: Change | undefined;
}

/** Writes down how a run ended. A conflict is merged and tried again; no link runs twice for it. */
export async function finish(end: RunEnd, context: FinishContext): Promise<Finished> {
  if (end.kind === "lost") return { kind: "lost", deliver: [], conflicts: 0 };
  let base = { vcon: end.progress.baseVcon };
  let draft =
    end.kind === "later" || end.kind === "stopped" ? unchanged(end.progress) : firstDraft(end.progress, context);
  let conflicts = 0;
  for (;;) {
    const result = await context.settle(endingOf(end, draft.change, context));
    if (result.kind === "lost" || result.kind === "gone") return { kind: result.kind, deliver: [], conflicts };
    if (result.kind === "ok") {
      const rev = result.rev ?? end.progress.base.rev;
      return {
        kind: "ok",
        document: { rev, bytes: draft.bytes, vcon: draft.vcon },
        deliver: result.deliver,
        conflicts,
      };
    }
    const current = result.current ?? (await putBack(draft, context));
    const theirs = upgradeVcon(parseVcon(current.bytes));
    const merged = mergeVcons({ base: base.vcon, mine: draft.vcon, theirs });
    conflicts += merged.findings.length;
    base = { vcon: theirs };
    draft = draftOf(merged.vcon, current.rev);
  }
}

const unchanged = ({ base, vcon }: Progress): Draft => ({ vcon, bytes: base.bytes, change: undefined });

/** The document as the links left it. Links return the object they got when they change nothing. */
function firstDraft(progress: Progress, { clock }: Pick<FinishContext, "clock">): Draft {
  const { base, baseVcon, vcon } = progress;
  if (vcon === baseVcon) return unchanged(progress);
  return draftOf(withUpdatedAt(vcon, new Date(clock.now()).toISOString()), base.rev);
}

function draftOf(vcon: Vcon, base: Revision): Draft {
  const bytes = toBytes(vcon);
  return { vcon, bytes, change: { base, bytes, index: indexOf(vcon) } };
}

/** The working copy vanished while the run had it (somebody removed the key): what the run has is put in its place. */
async function putBack({ bytes, vcon }: Draft, { backend, claim, redisExpiry }: FinishContext): Promise<Document> {
  await backend.restore({ uuid: claim.uuid, bytes, index: indexOf(vcon), ttl: redisExpiry });
  const [current] = await backend.read([claim.uuid]);
  return current ?? { uuid: claim.uuid, rev: 0, bytes };
}

/** The decision as the backend takes it. Pure. */
export function endingOf(
  end: Exclude<RunEnd, { kind: "lost" }>,
  change: Change | undefined,
  context: FinishContext,
): Ending {
  const { claim, chain } = context;
  const lease: Lease = claim;
  const changed = change === undefined ? {} : { change };
  const { progress } = end;
  switch (end.kind) {
    case "done":
      return {
        kind: "done",
        lease,
        ...changed,
        sendTo: progress.sendTo,
        storages: chain.storages,
        required: chain.required,
        egress: chain.egressLists,
        expiry: expiryOf(progress, chain.storages.length > 0 ? context.redisExpiry : undefined),
        dlq: dlqOf(chain, claim.list),
        deliveryLease: context.deliveryLease,
      };
    case "halted": {
      const ttl = chain.onHalt === "keep" ? undefined : context.redisExpiry;
      return { kind: "halted", lease, ...changed, sendTo: progress.sendTo, expiry: expiryOf(progress, ttl) };
    }
    case "failed":
      return {
        ...deadEnding(end.error, context, { kind: "link", link: end.link, attempt: progress.attempt }),
        ...changed,
        checkpoint: retryPoint(end, context),
      };
    case "later": {
      const checkpoint = checkpointOf(progress, { config: context.config, link: end.link });
      return { kind: "later", lease, delay: end.delay, attempt: progress.attempt, checkpoint };
    }
    case "stopped":
      return stopped(progress, context);
  }
}

/** A run that was let go: untouched runs go back to the head of their list, others continue where they stopped. */
function stopped(progress: Progress, { claim, chain, config }: FinishContext): Ending {
  const link = chain.links[progress.index]?.name;
  const { index, attempt, memo, vcon, baseVcon } = progress;
  const untouched = index === 0 && attempt === 0 && memo === undefined && vcon === baseVcon;
  if (link === undefined || (untouched && !claim.checkpoint)) return { kind: "release", lease: claim };
  return {
    kind: "later",
    lease: claim,
    delay: 0,
    attempt: progress.attempt,
    checkpoint: checkpointOf(progress, { config, link }),
  };
}

/** Where a retry of the dead letter begins; the document itself then holds what the earlier links made. */
function retryPoint({ progress, link }: RunEnd & { kind: "failed" }, { config, chain }: FinishContext) {
  const index = Math.max(
    0,
    chain.links.findIndex(({ name }) => name === link),
  );
  return {
    config,
    index,
    link,
    attempt: 0,
    // what earlier links wanted is still owed: they are not run again
    sendTo: progress.sendTo,
    ...(progress.memo !== undefined && { memo: progress.memo }),
    ...(progress.expireIn !== undefined && { expireIn: progress.expireIn }),
  };
}

interface DeadFacts {
  readonly kind: "link" | "load" | "poison" | "config";
  readonly link?: string;
  readonly attempt: number;
}

/** An entry that cannot be processed: to the dead-letter list with the reason. */
export function deadEnding(error: VconError, context: FinishContext, facts: DeadFacts) {
  const { claim, chain } = context;
  const at = { at: context.clock.now(), config: context.config, worker: context.worker };
  const record = deadLetter({ ...claimFacts(claim), ...at, ...facts, error });
  return { kind: "dead" as const, lease: claim as Lease, dlq: dlqOf(chain as ChainPlan, claim.list), record };
}

function expiryOf({ expireIn }: Progress, ttl: number | undefined): Expiry {
  if (expireIn !== undefined) return { kind: "now", ms: expireIn * 1000 };
  return ttl === undefined ? { kind: "keep" } : { kind: "after", ms: ttl };
}
