import { type Logger, VconError } from "@vcon-server/core";
import type {
  DeliveryOutcome,
  DeliveryReport,
  DeliveryState,
  DeliveryTask,
  Document,
  Revision,
} from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import type { Context } from "./context.ts";
import { readEach } from "./documents.ts";
import { type DueChange, setDue } from "./due.ts";
import { isKeyFault } from "./failures.ts";
import { documentKeys, dueShard, isKeySafe, keysInOrder, readDueMember, SHARDS } from "./keys.ts";
import { type Burial, buryCommand } from "./outbox.ts";
import { findBlocked } from "./push-targets.ts";
import { integer, list, maybeText, pairsOf, parseOwn, text, texts } from "./replies.ts";
import { Failed, failureOf, read } from "./store.ts";

interface Pair {
  readonly uuid: VconUuid;
  readonly storage: string;
}

interface DuePair extends Pair {
  readonly score: string;
}

/** What still has to be carried out for a document: pushes of a completed run, or a dead letter. */
interface Box {
  readonly uuid: VconUuid;
  readonly id: string;
  readonly json: string;
}

/** Scripts over many deliveries in one call: each reads the whole hash of its document. */
const GROUP = 32;

interface DueDeps {
  readonly context: Context;
  /** Shards that hold another type of value and have been reported: looked at every second, told once. */
  readonly foreignShards: Set<number>;
}

export async function claimDeliveries(deps: DueDeps, max: number, lease: number): Promise<DeliveryTask[]> {
  if (max < 1) return [];
  const { context } = deps;
  const due = await duePairs(deps, max);
  if (due.length === 0) return [];
  const taken = await takeAll(context, due, lease);
  const blocked = await carryOutBoxes(context, taken.boxes);
  await setDue(context, await postpone(context, taken.changes, blocked));
  const documents = await readEach(
    context,
    taken.tasks.map(({ uuid }) => uuid),
  );
  return taken.tasks.map((task, at) => {
    const document = task.action === "delete" ? undefined : documents[at];
    return document instanceof VconError ? { ...task, document: undefined, fault: document } : { ...task, document };
  });
}

/** The pairs that are due longest, over all shards. */
async function duePairs({ context, foreignShards }: DueDeps, max: number): Promise<DuePair[]> {
  const { store, log } = context;
  const now = await serverTime({ store });
  const commands = Array.from({ length: SHARDS }, (_, shard) =>
    read("zrangebyscore", dueShard(shard), "-inf", now, "WITHSCORES", "LIMIT", 0, max),
  );
  const replies = await store.orFaults("looking for due deliveries", commands);
  const members = replies
    .flatMap((reply, shard) => {
      if (!(reply instanceof VconError)) {
        foreignShards.delete(shard);
        return pairsOf(reply);
      }
      if (!foreignShards.has(shard)) report(log, reply);
      foreignShards.add(shard);
      return [];
    })
    .sort(([, a], [, b]) => Number(a) - Number(b));
  return members.slice(0, max).map(([member, score]) => ({ ...(readDueMember(member) as Pair), score }));
}

/** Milliseconds since 1970 on the server's clock. */
export async function serverTime({ store }: Pick<Context, "store">): Promise<number> {
  const [seconds, micros] = texts(await store.one("asking the time", read("time")));
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

/** A shard of due deliveries that holds something else keeps its own deliveries waiting, no others. */
function report(log: Logger, fault: VconError): void {
  log.error("deliveries wait behind a key of another type", { error: fault.message });
}

async function takeAll(context: Context, due: readonly DuePair[], lease: number) {
  const { store, log } = context;
  const command = (group: readonly DuePair[]) => {
    const keys = group.flatMap(({ uuid }) => [documentKeys(uuid).meta, documentKeys(uuid).deliveries]);
    return store.call(
      "take",
      keys,
      group.flatMap(({ storage }) => [storage, Math.max(1, Math.ceil(lease))]),
    );
  };
  const answers = await store.inGroups("taking deliveries", { items: due, size: GROUP, command });
  const later = String((await serverTime(context)) + BLOCKED_MS);
  const tasks: Omit<DeliveryTask, "document">[] = [];
  const changes: DueChange[] = [];
  const boxes: Box[] = [];
  for (const [at, answer] of answers.entries()) {
    const { uuid, storage, score } = due[at] as DuePair;
    if (answer instanceof VconError) {
      log.error("a delivery waits behind a key of another type", { uuid, storage, error: answer.message });
      changes.push({ uuid, storage, mode: "set", score: later });
      continue;
    }
    const [state, ...rest] = texts(answer);
    if (state === "take") {
      const [next, action, attempt, since, dlq, chain] = rest.splice(0, 6) as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      tasks.push({
        uuid,
        storage,
        action: action as DeliveryTask["action"],
        attempt: Number(attempt),
        since: Number(since),
        dlq,
        chain,
      });
      changes.push({ uuid, storage, mode: "set", score: next });
    } else if (state === "busy") changes.push({ uuid, storage, mode: "set", score: rest.shift() as string });
    else changes.push({ uuid, storage, mode: "drop", score });
    boxes.push(...boxesOf(uuid, rest));
  }
  return { tasks, changes, boxes };
}

const boxesOf = (uuid: VconUuid, flat: readonly string[]): Box[] =>
  Array.from({ length: flat.length / 2 }, (_, at) => ({
    uuid,
    id: flat[at * 2] as string,
    json: flat[at * 2 + 1] as string,
  }));

export async function settleDeliveries(context: Context, batch: readonly DeliveryReport[]): Promise<DeliveryOutcome[]> {
  const { store } = context;
  const command = (group: readonly DeliveryReport[]) =>
    store.call(
      "delivered",
      group.flatMap(({ uuid }) => keysInOrder(uuid)),
      group.flatMap(reportArguments),
    );
  const replies = await store.inGroups("recording deliveries", { items: batch, size: GROUP, command });
  // what could not be recorded comes up with its next due delivery, and is reported there
  const answers = replies.map((reply) => (reply instanceof VconError ? ["settled", ""] : texts(reply)));
  const boxes = answers.flatMap((answer, at) => boxesOf((batch[at] as DeliveryReport).uuid, answer.slice(3)));
  const blocked = await carryOutBoxes(context, boxes);
  const changes = answers.flatMap(([, mode, score], at): DueChange[] => {
    const { uuid, storage } = batch[at] as DeliveryReport;
    return mode === "set" || mode === "drop" ? [{ uuid, storage, mode, score: score as string }] : [];
  });
  await setDue(context, await postpone(context, changes, blocked));
  return outcomes(
    context,
    batch,
    answers.map(([outcome]) => outcome === "again"),
  );
}

async function outcomes(
  context: Context,
  batch: readonly DeliveryReport[],
  again: readonly boolean[],
): Promise<DeliveryOutcome[]> {
  const more = batch.filter((_, at) => again[at]);
  const documents = await readEach(
    context,
    more.map(({ uuid }) => uuid),
  );
  const newest = new Map<DeliveryReport, Document | VconError | undefined>(
    more.map((report, at) => [report, documents[at]]),
  );
  return batch.map((report) => {
    const document = newest.get(report);
    return document && !(document instanceof VconError) ? { kind: "again", document } : { kind: "settled" };
  });
}

function reportArguments({ uuid, storage, action, rev, result }: DeliveryReport) {
  const common = [storage, action, String(rev), result.kind];
  switch (result.kind) {
    case "done":
      return [...common, 0, 0, "", ""];
    case "again": {
      const delay = Math.max(0, Math.ceil(result.delay));
      return [...common, delay, result.counts ? 1 : 0, `${result.code}: ${result.message}`, ""];
    }
    case "dead": {
      const { dlq, record } = result;
      const burial: Burial = { dlq, id: storageLetterId(uuid, storage), record };
      return [...common, 0, 1, `${record.code}: ${record.message}`, JSON.stringify(burial)];
    }
  }
}

/** Name of the dead letter of a pair; without spaces, since ids are kept in a row. */
const storageLetterId = (uuid: string, storage: string): string => `${uuid}:${encodeURIComponent(storage)}`;

/** Milliseconds after which deliveries are looked at again that a key of another type stands in the way of. */
const BLOCKED_MS = 30_000;

/** Pairs whose document has boxes that could not be carried out stay due: with them the boxes come up again. */
async function postpone(context: Context, changes: readonly DueChange[], blocked: ReadonlySet<string>) {
  if (blocked.size === 0) return changes;
  const later = String((await serverTime(context)) + BLOCKED_MS);
  return changes.map(
    (change): DueChange =>
      change.mode === "drop" && blocked.has(change.uuid) ? { ...change, mode: "set", score: later } : change,
  );
}

/**
 * Carries pushes and dead letters out, then forgets them. Returns the documents of those that a key of another type
 * stands in the way of: they stay, and come up with the next due delivery of their document.
 */
async function carryOutBoxes(context: Context, boxes: readonly Box[]): Promise<ReadonlySet<string>> {
  const { store, log } = context;
  const opened = boxes.map((box) => ({ box, content: openBox(box) }));
  const targets = opened.map(({ box, content }) => ({ item: box, push: "push" in content ? content.push : [] }));
  const blocked = await findBlocked(context, targets);
  const failed = new Set<Box>();
  const fail = (box: Box, error: VconError) => {
    log.error("a delivered vCon cannot be sent on", { uuid: box.uuid, error: error.message });
    failed.add(box);
  };
  for (const [box, error] of blocked) fail(box, error);
  const steps = opened.flatMap(({ box, content }) =>
    failed.has(box) ? [] : commandsOf(context, box, content).map((command) => ({ box, command })),
  );
  const replies = await store.tryAll(steps.map(({ command }) => command));
  for (const [at, reply] of replies.entries()) {
    if (!(reply instanceof Failed)) continue;
    const { box, command } = steps[at] as (typeof steps)[number];
    const error = failureOf(reply, "completing a delivery", command);
    if (!isKeyFault(reply.error)) throw error;
    fail(box, error);
  }
  const done = boxes.filter((box) => !failed.has(box));
  await store.orFaults(
    "completing deliveries",
    [...Map.groupBy(done, ({ uuid }) => uuid)].map(([uuid, all]) =>
      store.call(
        "unbox",
        keysInOrder(uuid),
        all.map(({ id }) => id),
      ),
    ),
  );
  return new Set([...failed].map(({ uuid }) => uuid));
}

type Content = { readonly push: readonly string[] } | Burial;

/** The text is this server's own: a waiting run or a dead letter. */
const openBox = ({ json }: Box): Content => parseOwn<Content>(json) ?? { push: [] };

function commandsOf(context: Context, { uuid }: Box, content: Content) {
  if ("dlq" in content) return [buryCommand(context, [content])];
  return content.push.map((name) => context.store.call("drain", [name], ["RPUSH", uuid]));
}

interface StoredPair {
  readonly state: "pending" | "done" | "dead";
  readonly action: "save" | "delete";
  readonly want: number | string;
  readonly done: number | string | false;
  readonly attempt: number;
  readonly due: number;
  readonly error?: string;
}

export async function deliveriesOf(
  { store }: Context,
  uuid: VconUuid,
): Promise<Readonly<Record<string, DeliveryState>>> {
  if (!isKeySafe(uuid)) return {};
  const fields = pairsOf(await store.one("reading deliveries", read("hgetall", documentKeys(uuid).deliveries)));
  const states: [string, DeliveryState][] = fields.flatMap(([field, json]): [string, DeliveryState][] =>
    field.startsWith("s:") ? [[field.slice(2), stateOf(JSON.parse(json) as StoredPair)]] : [],
  );
  return Object.fromEntries(states);
}

function stateOf({ action, want, done, attempt, due, error }: StoredPair): DeliveryState {
  return {
    want: action === "delete" ? "delete" : (want as Revision),
    done: done === false ? undefined : (done as Revision),
    attempt,
    due,
    error,
  };
}

export async function backlogOf({ store }: Context): Promise<Readonly<Record<string, number>>> {
  const counts = new Map<string, number>();
  let open = Array.from({ length: SHARDS }, (_, shard) => ({ shard, cursor: "0" }));
  while (open.length > 0) {
    const commands = open.map(({ shard, cursor }) => read("zscan", dueShard(shard), cursor, "COUNT", 1000));
    const answers = await store.orFaults("counting deliveries", commands);
    // a shard that holds something else counts nothing; claiming from it reports it
    const replies = answers.map((answer) => (answer instanceof VconError ? ["0", []] : answer));
    for (const reply of replies) {
      for (const [member] of pairsOf(list(reply)[1])) {
        const { storage } = readDueMember(member);
        counts.set(storage, (counts.get(storage) ?? 0) + 1);
      }
    }
    open = open
      .map(({ shard }, at) => ({ shard, cursor: text(list(replies[at])[0]) }))
      .filter(({ cursor }) => cursor !== "0");
  }
  return Object.fromEntries(counts);
}

interface Revival extends Pair {
  readonly chain: string;
  readonly dlq: string;
}

/** Makes a delivery that was given up due again; false when there is nothing to deliver any more. */
export async function reviveDelivery(context: Context, { uuid, storage, chain, dlq }: Revival): Promise<boolean> {
  const { meta, deliveries } = documentKeys(uuid);
  const command = context.store.call("revive", [meta, deliveries], [storage, chain, dlq]);
  const score = maybeText(await context.store.one("reviving a delivery", command));
  if (score === undefined)
    throw new VconError("VCON_INTERNAL", `reviving the delivery of ${uuid} to ${storage}: no answer`);
  if (integer(score) === 0) return false;
  await setDue(context, [{ uuid, storage, mode: "set", score }]);
  return true;
}
