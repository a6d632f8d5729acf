import { VconError } from "@vcon-server/core";
import type { Checkpoint, Claim, ClaimRequest, ClaimResult, Lease } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import { type Context, pieces } from "./context.ts";
import { documentOf, readDocuments } from "./documents.ts";
import { isWrongType } from "./failures.ts";
import { documentKey, isKeySafe, keysInOrder, listKeys, stagingKey } from "./keys.ts";
import type { Consumers } from "./lists.ts";
import type { Outboxes } from "./outbox.ts";
import { integer, list, maybeBytes, maybeText, text } from "./replies.ts";
import { type Command, Failed, failureOf, read, readBytes, type Store, write } from "./store.ts";

/** How a lease came about, remembered until it ends: decides where the entry goes when it is given back. */
export type Origin = "fresh" | "parked" | "alone";
export type Origins = Map<string, Origin>;

export const originKey = ({ list, token }: Pick<Lease, "list" | "token">): string => `${list} ${token}`;

export interface ClaimDeps {
  readonly context: Context;
  readonly consumers: Consumers;
  readonly outboxes: Outboxes;
  readonly origins: Origins;
  /** Lists whose key holds something else; each is reported once. */
  readonly unfit: Set<string>;
}

/** An owner as it can stand in a packed lease. */
export const ownerText = (owner: string): string => encodeURIComponent(owner);

interface Leased extends Lease {
  readonly attempt: number;
  readonly deaths: number;
}

export async function claimRuns(deps: ClaimDeps, request: ClaimRequest): Promise<ClaimResult> {
  const { leased, suspects } = await leaseEntries(deps, request);
  const runs = await openRuns(deps, leased);
  for (const run of runs) {
    const first = run.entry === String(run.token) ? "fresh" : "parked";
    deps.origins.set(originKey(run), kindOf(request) === "alone" ? "alone" : first);
  }
  return { runs, suspects };
}

const kindOf = ({ suspects, together = false }: ClaimRequest): "work" | "alone" | "together" =>
  !suspects ? "work" : together ? "together" : "alone";

/** One script per list, all in one trip. */
async function leaseEntries({ context, consumers, unfit }: ClaimDeps, request: ClaimRequest) {
  const { owner, lists } = request;
  const { store, leaseMs } = context;
  const wanted = lists.filter(({ max }) => max > 0);
  const commands = wanted.map(({ name, max }) => {
    const keys = listKeys(name);
    const all = [keys.list, keys.runs, keys.parked, keys.owners, keys.later, keys.suspects, keys.token];
    return store.call("claim", all, [ownerText(owner), leaseMs, max, kindOf(request)]);
  });
  const replies = await store.tryAll(commands);
  const leased: Leased[] = [];
  let waiting = 0;
  let failure: VconError | undefined;
  for (const [at, reply] of replies.entries()) {
    const { name, chain } = wanted[at] as ClaimRequest["lists"][number];
    if (reply instanceof Failed) {
      failure ??= listFailure({ store, unfit }, { name, failed: reply, command: commands[at] as Command });
      continue;
    }
    consumers.note(name);
    const [count, ...entries] = list(reply);
    waiting += integer(count);
    for (const packed of entries) leased.push(leaseOf(name, chain, packed));
  }
  // what other lists gave is leased by now: the caller gives back what it does not know of
  if (failure) throw failure;
  return { leased, suspects: waiting };
}

/** A key that is no list must not keep the other lists from being worked on. */
function listFailure(
  { store, unfit }: { readonly store: Store; readonly unfit: Set<string> },
  { name, failed, command }: { readonly name: string; readonly failed: Failed; readonly command: Command },
): VconError | undefined {
  const error = failureOf(failed, "claiming work", command);
  if (!isWrongType(failed.error)) return error;
  if (!unfit.has(name)) store.log.error("an ingress list cannot be read", { list: name, error: error.message });
  unfit.add(name);
  return undefined;
}

function leaseOf(name: string, chain: string, packed: unknown): Leased {
  const [entry, uuid, token, attempt, deaths] = list(packed);
  return {
    list: name,
    chain,
    entry: text(entry),
    uuid: text(uuid) as VconUuid,
    token: integer(token),
    attempt: integer(attempt),
    deaths: integer(deaths),
  };
}

/** What `open` said about a run. */
type Opened =
  | {
      readonly kind: "open";
      readonly rev: string | undefined;
      readonly submitted: string | undefined;
      readonly checkpoint: string | undefined;
      readonly former: string | undefined;
    }
  | { readonly kind: "gone" | "done" | "lost" }
  | { readonly kind: "outbox"; readonly text: string };

async function openRuns(deps: ClaimDeps, leased: readonly Leased[]): Promise<Claim[]> {
  const { context, outboxes } = deps;
  const safe = leased.filter(({ uuid }) => isKeySafe(uuid));
  const { opened, bytes } = await openDocuments(context, safe);
  const claims = new Map<Leased, Claim>();
  const ended: { readonly lease: Leased; readonly text: string | undefined; readonly gone: boolean }[] = [];
  const litter: string[] = [];
  for (const [at, lease] of safe.entries()) {
    const state = opened[at] as Opened;
    // this answer came so late that the lease belongs to somebody else by now
    if (state.kind === "lost") continue;
    if (state.kind !== "open") {
      ended.push({ lease, text: state.kind === "outbox" ? state.text : undefined, gone: state.kind === "gone" });
      continue;
    }
    if (state.former !== undefined) litter.push(stagingKey(lease.uuid, entryOf(lease), state.former));
    const { rev, submitted } = state;
    claims.set(lease, {
      ...lease,
      document: documentOf(lease.uuid, bytes[at], { rev, submitted }),
      checkpoint: checkpointOf(state.checkpoint),
    });
  }
  for (const lease of leased) {
    if (!isKeySafe(lease.uuid)) claims.set(lease, { ...lease, document: undefined, checkpoint: undefined });
  }
  if (litter.length > 0) await context.store.tryAll(litter.map((key) => write("unlink", key)));
  await outboxes.finish(ended);
  return leased.flatMap((lease) => claims.get(lease) ?? []);
}

/** Name of an entry in the slot of its document. */
export const entryOf = ({ list: name, entry }: Pick<Lease, "list" | "entry">): string => `${name}:${entry}`;

/** Opens first, then reads: a commit of a former lease cannot slip in between unseen. */
async function openDocuments(context: Context, leased: readonly Leased[]) {
  if (leased.length === 0) return { opened: [], bytes: [] };
  return context.store.cluster ? openApart(context, leased) : openTogether(context, leased);
}

const openKeys = ({ uuid }: Leased): string[] => keysInOrder(uuid);
const openArguments = (lease: Leased, leases: number | "") => [
  entryOf(lease),
  lease.token,
  lease.list,
  lease.chain,
  leases,
];

/** Documents in one script or one MGET: Redis answers nobody else meanwhile. */
const GROUP = 64;

async function openTogether(context: Context, leased: readonly Leased[]) {
  const { store } = context;
  const groups = pieces(leased, GROUP);
  const scripts = groups.map((group) => {
    const documents = group.flatMap(openKeys);
    const lists = [...new Set(group.map(({ list: name }) => name))];
    const args = group.flatMap((lease) => openArguments(lease, documents.length + lists.indexOf(lease.list) + 1));
    return store.call("open", [...documents, ...lists.map((name) => listKeys(name).runs)], args);
  });
  const reads = groups.map((group) => readBytes("mget", ...group.map(({ uuid }) => documentKey(uuid))));
  const replies = (await store.all("opening runs", [...scripts, ...reads])).map(list);
  const opened = replies.slice(0, groups.length).flat().map(openedOf);
  const bytes = replies.slice(groups.length).flat().map(maybeBytes);
  return { opened, bytes: await completeForeign(context, leased, bytes) };
}

/** MGET says nothing where a neighbour stored a document with RedisJSON; those are read one by one. */
async function completeForeign(context: Context, leased: readonly Leased[], bytes: (Buffer | undefined)[]) {
  const missing = leased.flatMap(({ uuid }, at) => (bytes[at] === undefined ? [{ uuid, at }] : []));
  if (missing.length === 0) return bytes;
  const types = await context.store.all(
    "opening runs",
    missing.map(({ uuid }) => read("type", documentKey(uuid))),
  );
  const there = missing.filter((_, index) => types[index] !== "none");
  const documents = await readDocuments(
    context,
    there.map(({ uuid }) => uuid),
  );
  const complete = [...bytes];
  for (const [index, { at }] of there.entries()) {
    const found = documents[index]?.bytes;
    if (found) complete[at] = Buffer.from(found);
  }
  return complete;
}

/** Leases and documents are in different slots: the leases are looked at before and after. */
async function openApart(context: Context, leased: readonly Leased[]) {
  const { store } = context;
  const before = await stillHeld(store, leased);
  const held = leased.filter((_, at) => before[at]);
  const args = (lease: Leased) => openArguments(lease, "");
  const replies = await store.each({ doing: "opening runs", script: "open" as const, keys: openKeys, args }, held);
  const after = await stillHeld(store, held);
  const lost: Opened = { kind: "lost" };
  const states = new Map(held.map((lease, at) => [lease, after[at] ? openedOf(replies[at]) : lost]));
  const opened = leased.map((lease) => states.get(lease) ?? lost);
  const documents = await readDocuments(
    context,
    leased.map(({ uuid }) => uuid),
  );
  return { opened, bytes: documents.map((document) => document && Buffer.from(document.bytes)) };
}

async function stillHeld(store: Store, leased: readonly Leased[]): Promise<boolean[]> {
  const packed = await store.all(
    "looking at leases",
    leased.map(({ list: name, entry }) => read("hget", listKeys(name).runs, entry)),
  );
  return leased.map(({ token }, at) => maybeText(packed[at])?.startsWith(`${token} `) === true);
}

function openedOf(reply: unknown): Opened {
  const [kind, first, submitted, checkpoint, former] = list(reply).map(maybeText);
  switch (kind) {
    case "open":
      return { kind, rev: first, submitted, checkpoint, former };
    case "outbox":
      return { kind, text: first ?? "" };
    case "gone":
    case "lost":
    case "done":
      return { kind };
    default:
      throw new VconError("VCON_INTERNAL", `opening runs: the script answered ${kind}`);
  }
}

/** Written by `checkpoint` or a dead letter of this server. */
const checkpointOf = (json: string | undefined): Checkpoint | undefined =>
  json === undefined || json === "" ? undefined : (JSON.parse(json) as Checkpoint);
