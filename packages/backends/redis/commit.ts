import { VconError } from "@vcon-server/core";
import type { SettleResult } from "@vcon-server/core/backend";
import { commitCommand, type Draft, stagingOf, type Verdict, verdictOf } from "./commit-script.ts";
import type { Context } from "./context.ts";
import { foreignHashes, readEach } from "./documents.ts";
import type { Commit } from "./endings.ts";
import type { Consumers } from "./lists.ts";
import type { Outboxes, Pending } from "./outbox.ts";
import { type Argument, write } from "./store.ts";

const DOING = "committing runs";
/** Documents in one script call: Redis answers nobody else while it runs. */
const GROUP = 64;

interface CommitDeps {
  readonly context: Context;
  readonly consumers: Consumers;
  readonly outboxes: Outboxes;
}

/**
 * Commits on the documents, then carries out the outboxes, then ends the leases. Where a key of one vCon holds another
 * type of value, a failure stands in the place of its result.
 */
export async function commitRuns(deps: CommitDeps, endings: readonly Commit[]): Promise<(SettleResult | VconError)[]> {
  const { context, outboxes } = deps;
  const verdicts = await decide(deps, endings);
  const judged = endings.flatMap((ending, at) => {
    const verdict = verdicts[at] as Verdict | VconError;
    return verdict instanceof VconError ? [] : [{ ending, verdict }];
  });
  const finished = judged.filter(({ verdict }) => isFinished(verdict));
  await outboxes.end(finished.map(({ ending }) => ending.lease));
  const blocked = await outboxes.carryOut(judged.flatMap(({ ending, verdict }) => pendingOf(ending, verdict)));
  const failures = new Map(blocked.map(({ lease, error }) => [lease, error]));
  const conflicts = endings.filter((_, at) => kindOf(verdicts[at]) === "conflict");
  const documents = await readEach(
    context,
    conflicts.map(({ lease }) => lease.uuid),
  );
  const current = new Map(conflicts.map((ending, at) => [ending, documents[at]]));
  return endings.map((ending, at) => {
    const verdict = verdicts[at] as Verdict | VconError;
    const failure = verdict instanceof VconError ? verdict : failures.get(ending.lease);
    if (failure || verdict instanceof VconError) return failure ?? (verdict as VconError);
    const { kind, rev, due } = verdict;
    if (kind === "conflict") {
      const found = current.get(ending);
      return found instanceof VconError ? found : { kind, current: found };
    }
    if (kind === "gone" || kind === "lost") return { kind };
    return { kind: "ok", rev, deliver: due.map(({ storage }) => storage) };
  });
}

const kindOf = (verdict: Verdict | VconError | undefined) => (verdict instanceof VconError ? undefined : verdict?.kind);

/** Committed with nothing left to carry out, or deleted: only the lease is left to be ended. */
const isFinished = ({ kind, text: outbox }: Verdict): boolean =>
  kind === "gone" || kind === "done" || (kind === "ok" && outbox === "");

function pendingOf(ending: Commit, { kind, text: outbox, due }: Verdict): Pending[] {
  if (outbox === "") return [];
  const mends = ending.kind === "dead" ? {} : { mends: ending.lease.chain };
  return [{ lease: ending.lease, text: outbox, ...(kind === "ok" && { due }), ...mends }];
}

async function decide(deps: CommitDeps, endings: readonly Commit[]): Promise<(Verdict | VconError)[]> {
  const { context, consumers } = deps;
  const consumed = await consumers.among(endings.flatMap(listsOf));
  const foreign = await foreignBases(context, endings);
  const drafts = endings.map((ending): Draft => ({ ending, consumed, base: foreign.get(ending) ?? baseOf(ending) }));
  const verdicts = await send(context, drafts, "staged");
  // Redis at maxmemory refuses the staging; what is given back elsewhere makes room for the same bytes in the script
  const unstaged = drafts.filter((_, at) => kindOf(verdicts[at]) === "unstaged");
  const inline = await send(context, unstaged, "inline");
  const second = new Map(unstaged.map(({ ending }, at) => [ending, inline[at] as Verdict | VconError]));
  return endings.map((ending, at) => second.get(ending) ?? (verdicts[at] as Verdict | VconError));
}

const listsOf = (ending: Commit): readonly string[] =>
  ending.kind === "done" ? [...ending.sendTo, ...ending.egress] : ending.kind === "halted" ? ending.sendTo : [];

const baseOf = ({ change }: Commit): string => (change === undefined ? "" : String(change.base));

/** For documents somebody else wrote: `"x"` and what the script can compare, or nothing that could match. */
async function foreignBases(context: Context, endings: readonly Commit[]): Promise<Map<Commit, string>> {
  const wanted = endings.flatMap((ending) => {
    const base = ending.change?.base;
    return typeof base === "string" ? [{ ending, uuid: ending.lease.uuid, rev: base }] : [];
  });
  const hashes = await foreignHashes(context, wanted);
  return new Map(wanted.map(({ ending }, at) => [ending, `x${hashes[at] || "-"}`]));
}

async function send(
  { store }: Context,
  drafts: readonly Draft[],
  mode: "staged" | "inline",
): Promise<(Verdict | VconError)[]> {
  if (drafts.length === 0) return [];
  const staged = mode === "staged" ? drafts.filter(({ ending }) => ending.change !== undefined) : [];
  const values = staged.map(({ ending }): [string, Argument] => [stagingOf(ending), ending.change?.bytes ?? ""]);
  const staging = store.cluster
    ? values.map(([key, bytes]) => write("set", key, bytes))
    : values.length > 0
      ? [write("mset", ...values.flat())]
      : [];
  const command = (group: readonly Draft[]) => commitCommand(store, group, mode);
  // a refused staging is found by the script; on one connection it is carried out before it, all in one trip
  const [, replies] = await Promise.all([
    store.tryAll(staging),
    store.inGroups(DOING, { items: drafts, size: GROUP, command }),
  ]);
  return replies.map((reply, at) =>
    reply instanceof VconError ? reply : verdictOf(reply, (drafts[at] as Draft).ending),
  );
}
