import type { SettleResult } from "@vcon-server/core/backend";
import { commitCommand, type Draft, stagingOf, type Verdict, verdictOf } from "./commit-script.ts";
import { type Context, pieces } from "./context.ts";
import { foreignHashes, readDocuments } from "./documents.ts";
import type { Commit } from "./endings.ts";
import type { Consumers } from "./lists.ts";
import type { Outboxes, Pending } from "./outbox.ts";
import { list } from "./replies.ts";
import { type Argument, type Command, Failed, failureOf, write } from "./store.ts";

const DOING = "committing runs";
/** Documents in one script call: Redis answers nobody else while it runs. */
const GROUP = 64;

interface CommitDeps {
  readonly context: Context;
  readonly consumers: Consumers;
  readonly outboxes: Outboxes;
}

/** Commits on the documents, then carries out the outboxes, then ends the leases. */
export async function commitRuns(deps: CommitDeps, endings: readonly Commit[]): Promise<SettleResult[]> {
  const { context, outboxes } = deps;
  const verdicts = await decide(deps, endings);
  const pending = endings.flatMap((ending, at) => pendingOf(ending, verdicts[at] as Verdict));
  const finished = endings.filter((_, at) => isFinished(verdicts[at] as Verdict));
  await outboxes.end(finished.map(({ lease }) => lease));
  await outboxes.carryOut(pending);
  const conflicts = endings.filter((_, at) => verdicts[at]?.kind === "conflict");
  const documents = await readDocuments(
    context,
    conflicts.map(({ lease }) => lease.uuid),
  );
  const current = new Map(conflicts.map((ending, at) => [ending, documents[at]]));
  return endings.map((ending, at) => {
    const { kind, rev, due } = verdicts[at] as Verdict;
    if (kind === "conflict") return { kind, current: current.get(ending) };
    if (kind === "gone" || kind === "lost") return { kind };
    return { kind: "ok", rev, deliver: due.map(({ storage }) => storage) };
  });
}

/** Committed with nothing left to carry out, or deleted: only the lease is left to be ended. */
const isFinished = ({ kind, text: outbox }: Verdict): boolean =>
  kind === "gone" || kind === "done" || (kind === "ok" && outbox === "");

function pendingOf(ending: Commit, { kind, text: outbox, due }: Verdict): Pending[] {
  if (outbox === "") return [];
  const mends = ending.kind === "dead" ? {} : { mends: ending.lease.chain };
  return [{ lease: ending.lease, text: outbox, ...(kind === "ok" && { due }), ...mends }];
}

async function decide(deps: CommitDeps, endings: readonly Commit[]): Promise<Verdict[]> {
  const { context, consumers } = deps;
  const consumed = await consumers.among(endings.flatMap(listsOf));
  const foreign = await foreignBases(context, endings);
  const drafts = endings.map((ending): Draft => ({ ending, consumed, base: foreign.get(ending) ?? baseOf(ending) }));
  const verdicts = await send(context, drafts, "staged");
  // Redis at maxmemory refuses the staging; what is given back elsewhere makes room for the same bytes in the script
  const unstaged = drafts.filter((_, at) => verdicts[at]?.kind === "unstaged");
  const inline = await send(context, unstaged, "inline");
  const second = new Map(unstaged.map(({ ending }, at) => [ending, inline[at] as Verdict]));
  return endings.map((ending, at) => second.get(ending) ?? (verdicts[at] as Verdict));
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

async function send({ store }: Context, drafts: readonly Draft[], mode: "staged" | "inline"): Promise<Verdict[]> {
  if (drafts.length === 0) return [];
  const staged = mode === "staged" ? drafts.filter(({ ending }) => ending.change !== undefined) : [];
  const values = staged.map(({ ending }): [string, Argument] => [stagingOf(ending), ending.change?.bytes ?? ""]);
  const staging = store.cluster
    ? values.map(([key, bytes]) => write("set", key, bytes))
    : values.length > 0
      ? [write("mset", ...values.flat())]
      : [];
  const groups = pieces(drafts, store.cluster ? 1 : GROUP);
  const commits = groups.map((group) => commitCommand(store, group, mode));
  const replies = (await store.tryAll([...staging, ...commits])).slice(staging.length);
  const failed = replies.findIndex((reply) => reply instanceof Failed);
  if (failed >= 0) throw failureOf(replies[failed] as Failed, DOING, commits[failed] as Command);
  return replies.flatMap((reply) => list(reply)).map((reply, at) => verdictOf(reply, (drafts[at] as Draft).ending));
}
