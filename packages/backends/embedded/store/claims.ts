import type { Checkpoint, CheckpointWrite, Claim, ClaimRequest, ClaimResult, Lease } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import { ANSWER_BYTES } from "../wire/codec.ts";
import { copyById, soundDocument } from "./documents.ts";
import { holdForRun } from "./expiry.ts";
import { noteUse } from "./holdings.ts";
import { hasWork } from "./lists.ts";
import type { Store } from "./store.ts";

interface Taken {
  readonly id: number;
  readonly item: string;
  readonly vcon: number | null;
  readonly due: number | null;
  readonly attempt: number;
  readonly deaths: number;
  readonly extras: number;
}

const TAKE = "UPDATE queue SET state = 1, owner = ?, token = ?, lone = ? WHERE id IN";
const GIVES = "RETURNING id, item, vcon, due, attempt, deaths, extras";

export function claim(store: Store, request: ClaimRequest): ClaimResult {
  store.leases.renew(request.owner);
  suspectExpired(store);
  const runs: Claim[] = [];
  let token: number | undefined;
  // a batch is bounded by its bytes too: it travels as one answer, and is held by the worker as a whole
  let bytes = 0;
  for (const list of request.lists) {
    if (bytes > ANSWER_BYTES) break;
    // an idle claim writes nothing, so that it costs no commit
    if (list.max <= 0 || !(request.suspects ? suspects(store, [list.name])[0] : hasWork(store, [list.name]))) continue;
    noteUse(store, "taken", list.name);
    token ??= nextToken(store);
    // entries of deleted vCons are dropped on the way, so a claim may have to look again
    for (let left = list.max; left > 0; ) {
      const take = { request, token, list: list.name, max: left };
      const taken = request.suspects ? takeSuspects(store, take) : takeReady(store, take);
      const before = runs.length;
      for (const entry of taken) {
        if (bytes > ANSWER_BYTES) {
          // those of dead owners stay apart from the others
          putBack(store, list.name, { ...entry, lone: request.suspects ? 1 : 0 });
          continue;
        }
        const run = open(store, { entry, token, list: list.name, chain: list.chain });
        if (run === undefined) continue;
        runs.push(run);
        bytes += weigh(run);
      }
      left -= runs.length - before;
      if (bytes > ANSWER_BYTES || runs.length - before === taken.length) break;
    }
  }
  const waiting = suspects(
    store,
    request.lists.map((list) => list.name),
  );
  return { runs, suspects: waiting.reduce((sum, n) => sum + n, 0) };
}

const weigh = ({ document, checkpoint }: Claim): number =>
  (document?.bytes.byteLength ?? 0) + (checkpoint?.json?.length ?? 0) + (checkpoint?.baseJson?.length ?? 0);

function nextToken(store: Store): number {
  return store.sql<{ n: number }>("UPDATE counters SET n = n + 1 WHERE name = 'token' RETURNING n").get()?.n ?? 0;
}

interface Take {
  readonly request: ClaimRequest;
  readonly token: number;
  readonly list: string;
  readonly max: number;
}

function takeReady(store: Store, { request, token, list, max }: Take): Taken[] {
  const due = store
    .sql<Taken>(
      `${TAKE} (SELECT id FROM queue WHERE state = 2 AND list = ? AND due <= ? ORDER BY due, id LIMIT ?) ${GIVES}`,
    )
    .all(request.owner, token, 0, list, store.now(), max)
    .sort((a, b) => (a.due ?? 0) - (b.due ?? 0) || a.id - b.id);
  if (due.length === max) return due;
  const waiting = store
    .sql<Taken>(`${TAKE} (SELECT id FROM queue WHERE state = 0 AND list = ? ORDER BY id LIMIT ?) ${GIVES}`)
    .all(request.owner, token, 0, list, max - due.length)
    .sort((a, b) => a.id - b.id);
  store.count(list, -waiting.length);
  return [...due, ...waiting];
}

function takeSuspects(store: Store, { request, token, list, max }: Take): Taken[] {
  return store
    .sql<Taken>(`${TAKE} (SELECT id FROM queue WHERE state = 3 AND list = ? ORDER BY id LIMIT ?) ${GIVES}`)
    .all(request.owner, token, request.together ? 0 : 1, list, max)
    .sort((a, b) => a.id - b.id);
}

interface Opening {
  readonly entry: Taken;
  readonly token: number;
  readonly list: string;
  readonly chain: string;
}

function open(store: Store, { entry, token, list, chain }: Opening): Claim | undefined {
  const copy = copyById(store, entry.vcon);
  if (copy?.gone === 1) {
    store.sql("DELETE FROM queue WHERE id = ?").run(entry.id);
    return undefined;
  }
  const document = soundDocument(store, copy);
  if (copy !== undefined && copy.expires_at !== null && document !== undefined) holdForRun(store, copy.id);
  return {
    list,
    chain,
    entry: String(entry.id),
    token,
    uuid: entry.item as VconUuid,
    attempt: entry.attempt,
    deaths: entry.deaths,
    document,
    checkpoint: entry.extras === 1 ? loadCheckpoint(store, entry.id) : undefined,
  };
}

function loadCheckpoint(store: Store, entry: number): Checkpoint | undefined {
  const row = store.sql<{ body: string }>("SELECT body FROM checkpoints WHERE entry = ?").get(entry);
  return row === undefined ? undefined : (JSON.parse(row.body) as Checkpoint);
}

export function keepCheckpoint(store: Store, entry: number, checkpoint: Checkpoint): void {
  store
    .sql("INSERT INTO checkpoints (entry, body) VALUES (?, ?) ON CONFLICT (entry) DO UPDATE SET body = excluded.body")
    .run(entry, JSON.stringify(checkpoint));
  store.sql("UPDATE queue SET extras = 1 WHERE id = ? AND extras = 0").run(entry);
}

/** What an entry under a lease has beyond the lease itself. */
export interface Held {
  readonly id: number;
  readonly vcon: number | null;
  readonly lone: number;
  readonly attempt: number;
  readonly deaths: number;
  readonly extras: number;
}

/** The entry, if this lease still holds it; otherwise why not. */
export function heldBy(store: Store, lease: Lease): Held | "lost" | "gone" {
  const row = store
    .sql<Held>("SELECT id, vcon, lone, attempt, deaths, extras FROM queue WHERE id = ? AND token = ? AND state = 1")
    .get(Number(lease.entry), lease.token);
  if (row !== undefined) return row;
  const gone = store.sql<{ gone: number }>("SELECT gone FROM vcons WHERE uuid = ?").get(lease.uuid)?.gone;
  return gone === 1 ? "gone" : "lost";
}

export function checkpoint(store: Store, batch: readonly CheckpointWrite[]): ("ok" | "lost" | "gone")[] {
  return batch.map((write) => {
    const held = heldBy(store, write.lease);
    if (typeof held === "string") return held;
    keepCheckpoint(store, held.id, write.checkpoint);
    return "ok";
  });
}

export function heartbeat(store: Store, owner: string): void {
  store.leases.renew(owner);
}

/** Turns what owners held that missed their heartbeat into suspects. */
export function suspectExpired(store: Store): void {
  for (const owner of store.leases.takeExpired()) suspectAll(store, owner);
}

/** All leases of one owner; a death while an entry ran alone counts against it. */
function suspectAll(store: Store, owner: string): void {
  store
    .sql<{ list: string }>(
      "UPDATE queue SET state = 3, owner = NULL, deaths = deaths + lone, lone = 0 WHERE state = 1 AND owner = ? RETURNING list",
    )
    .all(owner)
    .forEach(({ list }) => {
      store.news.lists.add(list);
    });
}

export function abandon(store: Store, owner: string, lists: readonly string[]): number {
  const take = store.sql(
    "UPDATE queue SET state = 3, owner = NULL, deaths = deaths + lone, lone = 0 WHERE state = 1 AND owner = ? AND list = ?",
  );
  let suspected = 0;
  for (const list of lists) {
    const taken = take.run(owner, list);
    if (taken > 0) store.news.lists.add(list);
    suspected += taken;
  }
  return suspected;
}

export function giveBack(store: Store, owner: string, lists: readonly string[], known: readonly Lease[]): number {
  const kept = new Set(known.map((lease) => lease.entry));
  const held = store.sql<Held>(
    "SELECT id, vcon, lone, attempt, deaths, extras FROM queue WHERE state = 1 AND owner = ? AND list = ?",
  );
  let given = 0;
  for (const list of lists) {
    const unknown = held.all(owner, list).filter((entry) => !kept.has(String(entry.id)));
    for (const entry of unknown) putBack(store, list, entry);
    given += unknown.length;
  }
  return given;
}

/**
 * Ends a lease as if it had never been. A fresh entry is back at its place in the list; one with a history is due at
 * once, out of reach of others who take from the list; one that was to run alone still is.
 */
export function putBack(store: Store, list: string, entry: Held): void {
  const fresh = entry.attempt === 0 && entry.deaths === 0 && entry.extras === 0;
  const state = entry.lone === 1 ? 3 : fresh ? 0 : 2;
  store
    .sql("UPDATE queue SET state = ?, owner = NULL, lone = 0, due = ? WHERE id = ?")
    .run(state, state === 2 ? store.now() : null, entry.id);
  if (state === 0) store.count(list, 1);
  store.news.lists.add(list);
}

export function suspects(store: Store, lists: readonly string[]): number[] {
  const count = store.sql<{ n: number }>("SELECT count(*) AS n FROM queue WHERE state = 3 AND list = ?");
  return lists.map((list) => count.get(list)?.n ?? 0);
}
