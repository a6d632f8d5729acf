import { VconError } from "@vcon-server/core";
import type { Revision, SettleResult } from "@vcon-server/core/backend";
import { entryOf } from "./claim.ts";
import { type Context, pieces } from "./context.ts";
import { foreignHashes, readDocuments } from "./documents.ts";
import type { DueChange } from "./due.ts";
import { type Commit, deadText, deliveryText, expiryWords, isEmpty, outboxOf, referring } from "./endings.ts";
import { dueKey, keysInOrder, stagingKey } from "./keys.ts";
import type { Consumers } from "./lists.ts";
import type { Outboxes, Pending } from "./outbox.ts";
import { list, maybeText, text, texts } from "./replies.ts";
import { type Argument, type Command, Failed, failureOf, write } from "./store.ts";

export type { Commit } from "./endings.ts";

const DOING = "committing runs";

interface CommitDeps {
  readonly context: Context;
  readonly consumers: Consumers;
  readonly outboxes: Outboxes;
}

/** What the script said about one run. */
interface Verdict {
  readonly kind: "gone" | "lost" | "conflict" | "unstaged" | "done" | "outbox" | "ok";
  readonly rev: Revision | undefined;
  /** Outbox to carry out; `""` for none. */
  readonly text: string;
  readonly due: readonly DueChange[];
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

interface Draft {
  readonly ending: Commit;
  readonly consumed: ReadonlySet<string>;
  readonly base: string;
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
  const commits = pieces(drafts, store.cluster ? 1 : 64).map((group) => {
    const keys = group.flatMap(({ ending }) => keysOf(ending));
    const args = group.flatMap((draft) => [...argumentsOf(draft, mode), ...placesOf({ store }, draft.ending, keys)]);
    return store.call("commit", keys, [group.length, ...args]);
  });
  const replies = (await store.tryAll([...staging, ...commits])).slice(staging.length);
  const failed = replies.findIndex((reply) => reply instanceof Failed);
  if (failed >= 0) throw failureOf(replies[failed] as Failed, DOING, commits[failed] as Command);
  return replies.flatMap((reply) => list(reply)).map((reply, at) => verdictOf(reply, (drafts[at] as Draft).ending));
}

const stagingOf = ({ lease }: Commit): string => stagingKey(lease.uuid, entryOf(lease), lease.token);

const keysOf = (ending: Commit): string[] => [...keysInOrder(ending.lease.uuid), stagingOf(ending)];

function argumentsOf({ ending, consumed, base }: Draft, mode: "staged" | "inline"): Argument[] {
  const { lease, change } = ending;
  const outbox = outboxOf(ending);
  return [
    entryOf(lease),
    lease.token,
    base,
    change === undefined ? "none" : mode,
    change !== undefined && mode === "inline" ? change.bytes : "",
    change?.index.createdAt ?? "",
    change === undefined ? "" : JSON.stringify(change.index.terms),
    isEmpty(outbox) ? "" : JSON.stringify(outbox),
    referring(ending, consumed).join(" "),
    ...expiryWords(ending),
    deliveryText(ending, consumed),
    lease.chain,
    deadText(ending),
  ];
}

/**
 * Where one script may touch every slot it pushes and schedules by itself: these keys are added to its keys, and their
 * positions are its arguments. On Cluster, and for dead letters, the outbox does it.
 */
function placesOf({ store }: Pick<Context, "store">, ending: Commit, keys: string[]): Argument[] {
  const { uuid } = ending.lease;
  const { push, storages, dead } = outboxOf(ending);
  if (store.cluster || dead) return ["", "", uuid];
  const positionOf = (key: string) => {
    const at = keys.indexOf(key);
    return at >= 0 ? at + 1 : keys.push(key);
  };
  return [push.map(positionOf).join(" "), storages.length > 0 ? positionOf(dueKey(uuid)) : "", uuid];
}

function verdictOf(reply: unknown, ending: Commit): Verdict {
  const [kind, first, second, ...due] = list(reply);
  const none = { rev: undefined, text: "", due: [] };
  const word = text(kind);
  switch (word) {
    case "gone":
    case "lost":
    case "conflict":
    case "unstaged":
      return { ...none, kind: word };
    case "done":
      return { ...none, kind: word, rev: revision(first) };
    case "outbox":
      return { ...none, kind: word, text: text(first), rev: revision(second) };
    case "ok":
      return { kind: word, rev: revision(first), text: text(second), due: due.map((pair) => dueOf(ending, pair)) };
    default:
      throw new VconError("VCON_INTERNAL", `${DOING}: the script answered ${word} about ${ending.lease.uuid}`);
  }
}

function revision(reply: unknown): number | undefined {
  const written = maybeText(reply);
  return written === undefined ? undefined : Number(written);
}

function dueOf({ lease }: Commit, pair: unknown): DueChange {
  const [storage, score] = texts(pair);
  return { uuid: lease.uuid, storage: storage as string, mode: "set", score: score as string };
}
