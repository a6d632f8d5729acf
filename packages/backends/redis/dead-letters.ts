import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { VconError } from "@vcon-server/core";
import type { DeadLetter, DeadLetterQuery, DeadLetterRecord } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import { type Context, pieces } from "./context.ts";
import { reviveDelivery } from "./deliveries.ts";
import { graveKeys, isKeySafe } from "./keys.ts";
import { type Consumers, pushAll } from "./lists.ts";
import { maybeText, parseOwn, texts } from "./replies.ts";
import { read } from "./store.ts";

/** An entry of a dead-letter list with the record it goes by, if there is one. */
interface Grave {
  readonly uuid: string;
  readonly id: string;
  readonly record: DeadLetterRecord | undefined;
}

const PAGE = 500;
/** Entries on their way back at a time: a crash leaves at most so many to be pushed twice. */
const BATCH = 64;

export async function deadLetters(
  context: Context,
  { dlq, list, offset, limit }: DeadLetterQuery,
): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  let skipped = 0;
  for await (const grave of graves(context, dlq, list === undefined ? offset : 0)) {
    if (found.length >= limit) break;
    if (!cameFrom(grave, list)) continue;
    if (list !== undefined && skipped++ < offset) continue;
    found.push({ uuid: grave.uuid, record: grave.record });
  }
  return found;
}

const cameFrom = ({ record }: Grave, list: string | undefined): boolean =>
  list === undefined || record === undefined || record.list === "" || record.list === list;

/** Entries from the head, with their records: the n-th entry of a uuid goes by the n-th record of that uuid. */
async function* graves({ store }: Context, dlq: string, offset: number): AsyncGenerator<Grave> {
  const { list, records, moving } = graveKeys(dlq);
  const under = texts(await store.one("reading dead letters", read("lrange", moving, 0, -1))).map(itemOf);
  const seen = new Map<string, number>();
  for (let at = Math.max(0, offset - under.length), first = true; ; first = false) {
    const uuids = texts(await store.one("reading dead letters", read("lrange", list, at, at + PAGE - 1)));
    const plain = uuids.map((uuid) => ({ uuid, id: "" }));
    const page = first ? [...under.slice(offset), ...plain] : plain;
    if (page.length === 0) return;
    const ids = texts0(
      await store.one("reading dead letters", read("hmget", records, ...page.map(({ uuid }) => `u:${uuid}`))),
    );
    const named = page.map(({ uuid, id }, index) => ({ uuid, id: id || nth(seen, uuid, ids[index]) }));
    const jsons = texts0(
      await store.one("reading dead letters", read("hmget", records, ...named.map(({ id }) => `r:${id}`))),
    );
    for (const [index, { uuid, id }] of named.entries()) yield { uuid, id, record: recordOf(jsons[index]) };
    if (uuids.length < PAGE) return;
    at += PAGE;
  }
}

function nth(seen: Map<string, number>, uuid: string, ids: string | undefined): string {
  const turn = seen.get(uuid) ?? 0;
  seen.set(uuid, turn + 1);
  return ids?.split(" ")[turn] ?? "";
}

const texts0 = (reply: unknown): (string | undefined)[] => (Array.isArray(reply) ? reply.map(maybeText) : []);

/** Records are this server's own writing. */
const recordOf = (json: string | undefined): DeadLetterRecord | undefined => parseOwn<DeadLetterRecord>(json);

function itemOf(item: string): { readonly uuid: string; readonly id: string } {
  const gap = item.indexOf(" ");
  const id = item.slice(0, gap);
  return { uuid: item.slice(gap + 1), id: id === "-" ? "" : id };
}

interface Reprocess {
  readonly dlq: string;
  readonly count: number;
  readonly list?: string;
  readonly fallback: string;
}

/** Milliseconds a caller may be silent before its unfinished moves are taken over, and others wait for their turn. */
const MOVER_MS = 10_000;
const TURN_MS = 20_000;
const LOOK_MS = 50;

/** Callers take turns: what one has under way would be pushed a second time by another that takes it for left behind. */
export async function reprocess(context: Context, consumers: Consumers, order: Reprocess): Promise<number> {
  const { store } = context;
  const { records, mover } = graveKeys(order.dlq);
  const caller = randomUUID();
  const hold = async (ms: number) =>
    (await store.one("moving dead letters", store.call("mover", [records, mover], [caller, ms]))) === 1;
  const until = performance.now() + TURN_MS;
  while (!(await hold(MOVER_MS))) {
    if (performance.now() > until) {
      const message = `moving dead letters of ${order.dlq}: another request is still moving them; send this one again later`;
      throw new VconError("VCON_BACKEND_DOWN", message);
    }
    await sleep(LOOK_MS);
  }
  try {
    return await moveBack(context, consumers, { ...order, isOurs: () => hold(MOVER_MS) });
  } finally {
    // without an answer it ends by itself
    await hold(0).catch(() => undefined);
  }
}

async function moveBack(
  context: Context,
  consumers: Consumers,
  { dlq, count, list, fallback, isOurs }: Reprocess & { readonly isOurs: () => Promise<boolean> },
): Promise<number> {
  const { store } = context;
  const { moving } = graveKeys(dlq);
  let moved = 0;
  const left = texts(await store.one("reading dead letters", read("lrange", moving, 0, -1)));
  if (left.length > 0) moved += await sendBack(context, consumers, { dlq, fallback, items: left });
  while (moved < count && (await isOurs())) {
    const batch = await choose(context, { dlq, list, most: Math.min(BATCH, count - moved) });
    const items = await exhume(context, dlq, batch);
    if (items.length === 0) return moved;
    moved += await sendBack(context, consumers, { dlq, fallback, items });
  }
  return moved;
}

async function choose(
  context: Context,
  { dlq, list, most }: { readonly dlq: string; readonly list: string | undefined; readonly most: number },
): Promise<Grave[]> {
  const chosen: Grave[] = [];
  for await (const grave of graves(context, dlq, 0)) {
    if (chosen.length >= most) break;
    if (cameFrom(grave, list)) chosen.push(grave);
  }
  return chosen;
}

/** Takes these entries out of the list; from here on they stand in `moving` until they are pushed. */
async function exhume({ store }: Context, dlq: string, batch: readonly Grave[]): Promise<string[]> {
  if (batch.length === 0) return [];
  const { list, records, moving } = graveKeys(dlq);
  const command = store.call(
    "exhume",
    [list, records, moving],
    batch.flatMap(({ uuid, id }) => [uuid, id]),
  );
  return texts(await store.one("taking dead letters", command)).filter((item) => item !== "");
}

interface Moving {
  readonly dlq: string;
  readonly fallback: string;
  readonly items: readonly string[];
}

/** Link failures to their list, storage failures to their delivery; forgotten only when that is done. */
async function sendBack(context: Context, consumers: Consumers, { dlq, fallback, items }: Moving): Promise<number> {
  const { store } = context;
  const { records, moving } = graveKeys(dlq);
  for (const piece of pieces(items, BATCH)) {
    const parsed = piece.map(itemOf);
    const jsons = texts0(
      await store.one("reading dead letters", read("hmget", records, ...parsed.map(({ id }) => `r:${id}`))),
    );
    const pushes: { readonly list: string; readonly uuid: string }[] = [];
    for (const [at, { uuid }] of parsed.entries()) {
      const record = recordOf(jsons[at]);
      const storage = record?.kind === "storage" ? record.storage : undefined;
      const chain = record?.chain ?? "";
      if (storage !== undefined && isKeySafe(uuid))
        await reviveDelivery(context, { uuid: uuid as VconUuid, storage, chain, dlq });
      else pushes.push({ list: record?.list || fallback, uuid });
    }
    for (const [list, all] of Map.groupBy(pushes, (push) => push.list)) {
      await pushAll(context, consumers, { list, uuids: all.map(({ uuid }) => uuid) });
    }
    await store.one("forgetting dead letters", store.call("reborn", [records, moving], piece));
  }
  return items.length;
}
