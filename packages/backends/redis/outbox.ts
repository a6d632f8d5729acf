import type { VconError } from "@vcon-server/core";
import type { DeadLetterRecord, Lease } from "@vcon-server/core/backend";
import { entryOf } from "./claim.ts";
import { type Context, pieces } from "./context.ts";
import { type DueChange, dueCommands } from "./due.ts";
import { isKeyFault } from "./failures.ts";
import { type IndexMove, moveInIndex, termsOf } from "./index-sets.ts";
import { documentKeys, graveKeys, isKeySafe, keysInOrder, listKeys } from "./keys.ts";
import { findBlocked } from "./push-targets.ts";
import { parseOwn } from "./replies.ts";
import { type Command, Failed, failureOf, write } from "./store.ts";

/** What an ending still has to do in other slots once it is committed. */
export interface Outbox {
  readonly push: readonly string[];
  readonly storages: readonly string[];
  readonly dead?: Burial;
}

/** A dead letter on its way; buried once, however often it is tried. */
export interface Burial {
  readonly dlq: string;
  readonly id: string;
  readonly record: DeadLetterRecord;
}

/** An ending with an outbox to carry out. */
export interface Pending {
  readonly lease: Lease;
  /** As the run keeps it: the outbox as JSON, a line break, former index terms as JSON or nothing. */
  readonly text: string;
  /** Scores of the pairs that are delivered now; without them every storage of the outbox is due at once. */
  readonly due?: readonly DueChange[];
  /** Chain whose dead letter this run has made good. */
  readonly mends?: string;
}

/** A reclaimed run whose end was committed by somebody who did not live to finish it. */
export interface Leftover {
  readonly lease: Lease;
  readonly text: string | undefined;
  readonly gone: boolean;
}

/** A run whose end a key of another type stands in the way of. */
export interface Blocked {
  readonly lease: Lease;
  readonly error: VconError;
}

export interface Outboxes {
  /**
   * Carries out what it can, closes those runs and ends their leases. Returns the runs that are blocked; any other
   * failure is thrown afterwards.
   */
  carryOut(pending: readonly Pending[]): Promise<Blocked[]>;
  /** Ends leases of runs that need nothing any more. */
  end(leases: readonly Lease[]): Promise<void>;
  finish(leftovers: readonly Leftover[]): Promise<Blocked[]>;
  /** Resolves when nothing is left to be tidied up. */
  idle(): Promise<void>;
}

/** Runs to be forgotten at a time, and the milliseconds after which fewer will do. */
const FORGET_AT = 256;
const FORGET_AFTER = 50;

/** At most this many uuids in one RPUSH. */
const PIECE = 4_000;

export function createOutboxes(context: Context): Outboxes {
  const { store } = context;
  const tidying = new Set<Promise<void>>();
  const ended: Lease[] = [];
  let timer: NodeJS.Timeout | undefined;

  async function end(leases: readonly Lease[]): Promise<void> {
    if (leases.length === 0) return;
    const lists = Map.groupBy(leases, ({ list }) => list);
    const commands = [...lists].flatMap(([list, over]) =>
      endCommands(
        list,
        over.map(({ entry }) => entry),
      ),
    );
    const replies = await store.tryAll(commands);
    for (const [at, reply] of replies.entries()) {
      // where something else stands in the place of the leases, there is none left to be ended
      if (reply instanceof Failed && !isKeyFault(reply.error))
        throw failureOf(reply, "ending leases", commands[at] as Command);
    }
    forget(leases);
  }

  /** Later and many at a time: what stays behind after a crash here says "done" and does no harm. */
  function forget(leases: readonly Lease[]): void {
    ended.push(...leases.filter(({ uuid }) => isKeySafe(uuid)));
    if (ended.length >= FORGET_AT) tidyUp();
    else timer ??= setTimeout(tidyUp, FORGET_AFTER).unref();
  }

  function tidyUp(): void {
    clearTimeout(timer);
    timer = undefined;
    const safe = ended.splice(0);
    if (safe.length === 0) return;
    const keys = ({ uuid }: Lease) => [documentKeys(uuid).meta];
    const args = (lease: Lease) => [`t:${entryOf(lease)}`, `c:${entryOf(lease)}`];
    const work = store.each({ doing: "tidying up", script: "forget", keys, args }, safe).then(
      () => undefined,
      (error: unknown) => store.log.debug("tidying up after runs", { error: String(error) }),
    );
    tidying.add(work);
    void work.finally(() => tidying.delete(work));
  }

  async function carryOut(pending: readonly Pending[]): Promise<Blocked[]> {
    if (pending.length === 0) return [];
    const failed = await flush(context, pending);
    const flushed = pending.filter((item) => !failed.has(item));
    await close(flushed.filter(({ lease }) => isKeySafe(lease.uuid)));
    await end(flushed.map(({ lease }) => lease));
    const blocked = [...failed].map(([{ lease }, error]) => ({ lease, error }));
    const outage = blocked.find(({ error }) => error.code !== "VCON_BACKEND_KEY");
    if (outage) throw outage.error;
    return blocked;
  }

  async function close(pending: readonly Pending[]): Promise<void> {
    const keys = ({ lease }: Pending) => keysInOrder(lease.uuid);
    const args = ({ lease, mends }: Pending) => [entryOf(lease), mends ?? ""];
    await store.each({ doing: "closing runs", script: "close", keys, args }, pending);
  }

  return {
    carryOut,
    end,
    async finish(leftovers) {
      const open = leftovers.filter(({ text, gone }) => text !== undefined && !gone);
      const blocked = await carryOut(open.map(({ lease, text }) => ({ lease, text: text ?? "" })));
      await end(leftovers.filter(({ text, gone }) => text === undefined || gone).map(({ lease }) => lease));
      return blocked;
    },
    idle: async () => {
      tidyUp();
      while (tidying.size > 0) await Promise.all(tidying);
    },
  };
}

/** An entry that is done is over wherever it stands: its lease may have run out just before, and left it a suspect. */
function endCommands(list: string, entries: readonly string[]): Command[] {
  const { runs, parked, later, suspects } = listKeys(list);
  return [
    write("hdel", runs, ...entries),
    write("hdel", parked, ...entries),
    write("zrem", later, ...entries),
    write("zrem", suspects, ...entries),
  ];
}

interface Step {
  readonly command: Command;
  readonly items: readonly Pending[];
}

/** Pushes, dead letters, due deliveries and index entries, grouped by key. Each may be repeated without harm. */
async function flush(context: Context, pending: readonly Pending[]): Promise<Map<Pending, VconError>> {
  const parsed = pending.map((item) => ({ item, ...readOutbox(item) }));
  const targets = parsed.map(({ item, outbox }) => ({ item, push: outbox.push }));
  const failed = await findBlocked(context, targets);
  const open = parsed.filter(({ item }) => !failed.has(item));
  const steps = [
    ...pushSteps(context, open),
    ...burialSteps(context, parsed),
    ...parsed.flatMap(({ item, due }) => dueCommands(context, due).map((command) => ({ command, items: [item] }))),
  ];
  const replies = await context.store.tryAll(steps.map(({ command }) => command));
  for (const [at, reply] of replies.entries()) {
    const { command, items } = steps[at] as Step;
    if (!(reply instanceof Failed)) continue;
    const failure = failureOf(reply, "carrying out the end of a run", command);
    for (const item of items) failed.set(item, failure);
  }
  await moveInIndex(
    context,
    parsed.flatMap(({ item, move }) => (move && !failed.has(item) ? [move] : [])),
  );
  return failed;
}

interface Parsed {
  readonly item: Pending;
  readonly outbox: Outbox;
  readonly due: readonly DueChange[];
  readonly move: IndexMove | undefined;
}

function readOutbox({ lease, text, due }: Pending): Omit<Parsed, "item"> {
  const line = text.indexOf("\n");
  const former = text.slice(line + 1);
  // the text is this server's own, or `{}` where only the index changed
  const { push = [], storages = [], dead } = parseOwn<Partial<Outbox>>(text.slice(0, line)) ?? {};
  const atOnce = storages.map((storage): DueChange => ({ uuid: lease.uuid, storage, mode: "set", score: "0" }));
  return {
    outbox: { push, storages, ...(dead && { dead }) },
    due: due ?? atOnce,
    move: former === "" ? undefined : { uuid: lease.uuid, former: termsOf(former) },
  };
}

function pushSteps({ store }: Context, parsed: readonly Parsed[]): Step[] {
  const pushes = parsed.flatMap(({ item, outbox }) => outbox.push.map((list) => ({ list, item })));
  return [...Map.groupBy(pushes, ({ list }) => list)].flatMap(([list, all]) =>
    pieces(all, PIECE).map((piece) => ({
      command: store.call("drain", [list], ["RPUSH", ...piece.map(({ item }) => item.lease.uuid)]),
      items: piece.map(({ item }) => item),
    })),
  );
}

function burialSteps(context: Context, parsed: readonly Parsed[]): Step[] {
  const burials = parsed.flatMap(({ item, outbox: { dead } }) => (dead ? [{ item, dead }] : []));
  return [...Map.groupBy(burials, ({ dead }) => dead.dlq)].map(([, all]) => ({
    command: buryCommand(
      context,
      all.map(({ dead }) => dead),
    ),
    items: all.map(({ item }) => item),
  }));
}

/** Appends these dead letters of one list. */
export function buryCommand({ store }: Context, burials: readonly Burial[]): Command {
  const { list, records } = graveKeys((burials[0] as Burial).dlq);
  return store.call(
    "bury",
    [list, records],
    burials.flatMap(({ id, record }) => [id, record.uuid, JSON.stringify(record)]),
  );
}
