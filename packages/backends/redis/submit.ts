import { randomUUID } from "node:crypto";
import { VconError } from "@vcon-server/core";
import { type Revision, requireAll, type Submission, type SubmitResult } from "@vcon-server/core/backend";
import type { Context } from "./context.ts";
import { foreignHashes, readEach } from "./documents.ts";
import { moveInIndex, termsOf } from "./index-sets.ts";
import { documentKeys, intentKey, keysInOrder, submitterKey } from "./keys.ts";
import { findBlocked } from "./push-targets.ts";
import { list, maybeText, text } from "./replies.ts";
import { type Command, Failed, failureOf, read, write } from "./store.ts";

const DOING = "storing a vCon";

/** A submission under way, with what was learnt about the document it meets. */
interface Attempt {
  readonly submission: Submission;
  /** Terms of the document it replaces, as meta writes them. */
  readonly formerTerms: string;
  /** SHA-1 of the foreign content that the precondition accepts. */
  readonly foreign: string;
}

interface Answer {
  readonly kind: string;
  readonly rev: string | undefined;
  readonly extra: string | undefined;
  /** Positions of the lists that get the uuid, from 0. */
  readonly fresh: readonly number[];
}

/** Stores, indexes and queues: one step each on a single server, by intent and repair on Cluster. */
export async function submitAll(context: Context, batch: readonly Submission[]): Promise<SubmitResult[]> {
  const foreign = await matchingForeign(context, batch);
  const attempts = batch.map((submission, at) => ({ submission, formerTerms: "[]", foreign: foreign[at] ?? "" }));
  const answers = await (context.store.cluster ? submitApart(context, attempts) : submitWhole(context, attempts));
  if (context.waitForReplica && answers.length > 0) await waitForReplica(context);
  const results = batch.map((submission, at) => resultOf(context, submission, answers[at] as Answer | VconError));
  return requireAll(await Promise.all(results));
}

/** For submissions that replace a document somebody else wrote: what it must still be. */
async function matchingForeign(context: Context, batch: readonly Submission[]): Promise<string[]> {
  const wanted = batch.flatMap(({ uuid, precondition }, at) =>
    precondition && "match" in precondition
      ? precondition.match.flatMap((rev) => (typeof rev === "string" ? [{ at, uuid, rev }] : []))
      : [],
  );
  const hashes = await foreignHashes(context, wanted);
  const found: string[] = [];
  for (const [index, { at }] of wanted.entries()) found[at] ||= hashes[index] ?? "";
  return found;
}

/** Every key is known beforehand except the sets of a replaced document's old terms: where there are some, once more. */
async function submitWhole(context: Context, attempts: readonly Attempt[]): Promise<(Answer | VconError)[]> {
  const answers: (Answer | VconError)[] = [];
  let open = attempts.map((attempt, at) => ({ attempt, at }));
  for (let round = 0; open.length > 0; round++) {
    const replies = await context.store.orFaults(
      DOING,
      open.map(({ attempt }) => wholeCommand(context, attempt)),
    );
    const again: typeof open = [];
    for (const [index, { attempt, at }] of open.entries()) {
      const answer = answerOf(replies[index]);
      if (!(answer instanceof VconError) && answer.kind === "terms" && round < 10) {
        again.push({ attempt: { ...attempt, formerTerms: answer.rev ?? "[]" }, at });
      } else answers[at] = answer;
    }
    open = again;
  }
  return answers;
}

function wholeCommand({ store, sortedSet, indexExpiry }: Context, attempt: Attempt): Command {
  const { uuid, lists, index } = attempt.submission;
  const kept = new Set<string>(index.terms);
  const removed = termsOf(attempt.formerTerms).filter((term) => !kept.has(term));
  const keys = [...submissionKeys(uuid), sortedSet, ...lists, ...index.terms, ...removed];
  const counts = [lists.length, index.terms.length, removed.length];
  return store.call("submit", keys, [
    ...commonArguments(attempt),
    ...counts,
    indexExpiry ?? "",
    ...lastArguments(attempt),
  ]);
}

const submissionKeys = (uuid: string): string[] => [...keysInOrder(uuid), submitterKey(uuid)];

const lastArguments = ({ submission: { submitter, lists } }: Attempt) => [
  submitter?.id ?? "",
  submitter === undefined ? "" : Math.max(1, Math.ceil(submitter.kept)),
  ...lists,
];

function commonArguments({ submission, formerTerms, foreign }: Attempt) {
  const { uuid, bytes, submitted, index, requeue, precondition } = submission;
  const condition = precondition === undefined ? "" : "absent" in precondition ? "absent" : "match";
  const revisions = precondition && "match" in precondition ? precondition.match.join(" ") : "";
  const terms = JSON.stringify(index.terms);
  const again = requeue ? "requeue" : "";
  return [bytes, submitted, index.createdAt, terms, again, condition, revisions, foreign, formerTerms, uuid];
}

/** What a submission still has to do once its document is stored; kept until it is done. */
export interface Intent {
  readonly id: string;
  readonly uuid: Submission["uuid"];
  readonly submitted: string;
  readonly lists: readonly string[];
  /** Terms the document was found under before (JSON). */
  readonly former: string;
}

/** Cluster: intent, document and meta, index, queue, intent removed. Whatever stops in between, `repair` finishes. */
async function submitApart(context: Context, attempts: readonly Attempt[]): Promise<(Answer | VconError)[]> {
  const { store } = context;
  const before = await store.orFaults(
    DOING,
    attempts.map(({ submission }) => read("hget", documentKeys(submission.uuid).meta, "terms")),
  );
  const intents = attempts.map(({ submission: { uuid, submitted, lists } }, at): Intent => {
    return { id: randomUUID(), uuid, submitted, lists, former: readFormer(before[at]) };
  });
  const members = intents.map((intent) => JSON.stringify(intent));
  const keyed = intents.map(({ uuid }) => intentKey(uuid));
  await store.all(
    DOING,
    members.map((member, at) => write("zadd", keyed[at] as string, Date.now(), member)),
  );
  const replies = await store.orFaults(
    DOING,
    attempts.map((attempt) => apartCommand(context, attempt)),
  );
  const answers = replies.map(answerOf);
  const stored = answers.flatMap((answer, at) =>
    !(answer instanceof VconError) && (answer.kind === "created" || answer.kind === "replaced")
      ? [{ uuid: (intents[at] as Intent).uuid, former: termsOf(answer.extra) }]
      : [],
  );
  await moveInIndex(context, stored);
  const targets = answers.map((answer, at) => {
    const { lists } = (attempts[at] as Attempt).submission;
    return { item: at, push: answer instanceof VconError || answer.fresh.length === 0 ? [] : lists };
  });
  const blocked = await findBlocked(context, targets);
  const pushes = answers.flatMap((answer, at) => {
    if (answer instanceof VconError || blocked.has(at)) return [];
    const { lists, uuid } = (attempts[at] as Attempt).submission;
    return answer.fresh.map((position) => ({ at, command: write("rpush", lists[position] as string, uuid) }));
  });
  const pushed = await store.orFaults(
    DOING,
    pushes.map(({ command }) => command),
  );
  for (const [index, reply] of pushed.entries())
    if (reply instanceof VconError) blocked.set((pushes[index] as (typeof pushes)[number]).at, reply);
  // what is blocked keeps its intent, and is queued by repair once the list has been put right
  const over = members.flatMap((member, at) => (blocked.has(at) ? [] : [write("zrem", keyed[at] as string, member)]));
  await store.all(DOING, over);
  return answers.map((answer, at) => blocked.get(at) ?? answer);
}

function apartCommand({ store }: Context, attempt: Attempt): Command {
  const args = [...commonArguments({ ...attempt, formerTerms: "*" }), 0, 0, 0, "", ...lastArguments(attempt)];
  return store.call("submit", submissionKeys(attempt.submission.uuid), args);
}

const readFormer = (reply: unknown): string => (reply instanceof VconError ? "[]" : (maybeText(reply) ?? "[]"));

function answerOf(reply: unknown): Answer | VconError {
  if (reply instanceof VconError) return reply;
  const [kind, rev, extra, positions] = list(reply);
  const fresh = (maybeText(positions) ?? "").split(" ").filter(Boolean);
  return { kind: text(kind), rev: maybeText(rev), extra: maybeText(extra), fresh: fresh.map((at) => Number(at) - 1) };
}

async function resultOf(
  context: Context,
  { uuid }: Submission,
  answer: Answer | VconError,
): Promise<SubmitResult | VconError> {
  if (answer instanceof VconError) return answer;
  const { kind, rev, extra, fresh } = answer;
  switch (kind) {
    case "created":
    case "replaced":
    case "same":
      return { kind, rev: Number(rev), queued: fresh.length };
    case "refused":
      return { kind, rev: extra === "foreign" ? await revisionOf(context, uuid) : revisionFrom(rev) };
    case "unfit": {
      const remedy =
        rev === context.sortedSet
          ? "move it out of the way, or name another key for the set of all vCons in VCON_SORTED_SET_NAME"
          : "rename the list or remove the key";
      return new VconError("VCON_BACKEND_KEY", `${DOING}: the key ${rev} holds another type of value; ${remedy}`);
    }
    default:
      return new VconError("VCON_BACKEND_DOWN", `${DOING}: ${uuid} kept changing while it was stored; send it again`);
  }
}

const revisionFrom = (rev: string | undefined): number | undefined => (rev === undefined ? undefined : Number(rev));

async function revisionOf(context: Context, uuid: string): Promise<Revision | undefined> {
  const [document] = await readEach(context, [uuid]);
  return document instanceof VconError ? undefined : document?.rev;
}

/** Waits until a replica has everything this client wrote so far. */
async function waitForReplica({ store, timeout }: Context): Promise<void> {
  const patience = Math.max(1, Math.floor(timeout * 0.75));
  for (const node of store.masters()) {
    const replicas = await store.on(node, "waiting for a replica", write("wait", 1, patience));
    if (Number(replicas) < 1) {
      throw new VconError(
        "VCON_BACKEND_DOWN",
        `${DOING}: no replica confirmed it within ${patience} ms (REDIS_ACK=replica); check the replicas, then send it again`,
      );
    }
  }
}

/** Pushes of one intent that a stopped submission left behind. */
export async function finishIntent(context: Context, intent: Intent): Promise<void> {
  const [blocked] = (await findBlocked(context, [{ item: intent, push: intent.lists }])).values();
  if (blocked) throw blocked;
  await moveInIndex(context, [{ uuid: intent.uuid, former: termsOf(intent.former) }]);
  const commands = intent.lists.map((name) => write("rpush", name, intent.uuid));
  const replies = await context.store.tryAll(commands);
  for (const [at, reply] of replies.entries()) {
    if (reply instanceof Failed) throw failureOf(reply, "finishing a submission", commands[at] as Command);
  }
}
