import { VconError } from "@vcon-server/core";
import type { Checkpoint, Claim, ClaimRequest, ClaimResult, Document, Lease } from "@vcon-server/core/backend";
import type { VconUuid } from "@vcon-server/vcon";
import type { Adoption } from "./adopt.ts";
import { type Context, pieces } from "./context.ts";
import { documentOf, readEach } from "./documents.ts";
import { isKeyFault } from "./failures.ts";
import { describeEviction } from "./health.ts";
import { documentKey, isKeySafe, keysInOrder, listKeys, stagingKey } from "./keys.ts";
import type { Consumers } from "./lists.ts";
import type { Blocked, Outboxes } from "./outbox.ts";
import { integer, list, maybeBytes, maybeText, parseOwn, text } from "./replies.ts";
import { type Command, Failed, failureOf, read, readBytes, type Store, write } from "./store.ts";

/** How a lease came about, remembered until it ends: decides where the entry goes when it is given back. */
export type Origin = "fresh" | "parked" | "alone";
export type Origins = Map<string, Origin>;

export const originKey = ({ list, token }: Pick<Lease, "list" | "token">): string => `${list} ${token}`;

export interface ClaimDeps {
  readonly context: Context;
  readonly consumers: Consumers;
  readonly adoption: Adoption;
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
async function leaseEntries({ context, consumers, adoption, unfit }: ClaimDeps, request: ClaimRequest) {
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
    adoption.lookThrough(name);
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
  if (!isKeyFault(failed.error)) return error;
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
  | { readonly kind: "outbox"; readonly text: string }
  | { readonly kind: "fault"; readonly error: VconError };

async function openRuns(deps: ClaimDeps, leased: readonly Leased[]): Promise<Claim[]> {
  const { context, outboxes } = deps;
  const safe = leased.filter(({ uuid }) => isKeySafe(uuid));
  const { opened, bytes } = await openDocuments(context, safe);
  const claims = new Map<Leased, Claim>();
  const ended: { readonly lease: Leased; readonly text: string | undefined; readonly gone: boolean }[] = [];
  const litter: string[] = [];
  const missing = new Map<Leased, string | undefined>();
  for (const [at, lease] of safe.entries()) {
    const state = opened[at] as Opened;
    // this answer came so late that the lease belongs to somebody else by now
    if (state.kind === "lost") continue;
    const copy = bytes[at];
    const fault = state.kind === "fault" ? state.error : copy instanceof VconError ? copy : undefined;
    if (fault && (state.kind === "fault" || state.kind === "open")) {
      claims.set(lease, { ...lease, document: undefined, checkpoint: undefined, fault });
      continue;
    }
    if (state.kind !== "open") {
      ended.push({ lease, text: state.kind === "outbox" ? state.text : undefined, gone: state.kind === "gone" });
      continue;
    }
    if (state.former !== undefined) litter.push(stagingKey(lease.uuid, entryOf(lease), state.former));
    const { rev, submitted } = state;
    if (copy === undefined) missing.set(lease, rev);
    claims.set(lease, {
      ...lease,
      document: copy instanceof VconError ? undefined : documentOf(lease.uuid, copy, { rev, submitted }),
      checkpoint: checkpointOf(state.checkpoint),
    });
  }
  if (missing.size > 0) {
    const evicted = await describeEviction(context);
    for (const [lease, rev] of missing) {
      const lost = describeLoss(rev, evicted);
      const claim = claims.get(lease);
      if (claim && lost !== undefined) claims.set(lease, { ...claim, lost });
    }
  }
  for (const lease of leased) {
    if (!isKeySafe(lease.uuid)) claims.set(lease, { ...lease, document: undefined, checkpoint: undefined });
  }
  if (litter.length > 0) await context.store.tryAll(litter.map((key) => write("unlink", key)));
  await putOff(context, await outboxes.finish(ended));
  return leased.flatMap((lease) => claims.get(lease) ?? []);
}

/** Says what became of a working copy that is not there; a revision shows that there was one. */
function describeLoss(rev: string | undefined, evicted: string | undefined): string | undefined {
  if (rev === undefined) return evicted;
  const cause = evicted ?? "it expired, or another program removed its key";
  return `its working copy (revision ${rev}) has vanished without having been deleted here: ${cause}; submit the vCon again`;
}

/** Milliseconds after which an end is carried out again that a key of another type stands in the way of. */
const BLOCKED_MS = 30_000;

/** Ends that cannot be carried out must not keep other entries from being claimed: their leases end, they come back. */
async function putOff({ store, log }: Context, blocked: readonly Blocked[]): Promise<void> {
  for (const { lease, error } of blocked) {
    log.error("a finished vCon cannot be sent on and is tried again", { uuid: lease.uuid, error: error.message });
  }
  await store.tryAll(
    blocked.map(({ lease: { list: name, entry, token } }) => {
      const { list: entries, runs, parked, later, suspects } = listKeys(name);
      return store.call("park", [entries, runs, parked, later, suspects], [entry, token, "later", BLOCKED_MS, ""]);
    }),
  );
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

const DOING = "opening runs";

/** Documents in one script or one MGET: Redis answers nobody else meanwhile. */
const GROUP = 64;

async function openTogether(context: Context, leased: readonly Leased[]) {
  const { store } = context;
  const command = (group: readonly Leased[]) => {
    const documents = group.flatMap(openKeys);
    const lists = [...new Set(group.map(({ list: name }) => name))];
    const args = group.flatMap((lease) => openArguments(lease, documents.length + lists.indexOf(lease.list) + 1));
    return store.call("open", [...documents, ...lists.map((name) => listKeys(name).runs)], args);
  };
  const reads = pieces(leased, GROUP).map((group) => readBytes("mget", ...group.map(({ uuid }) => documentKey(uuid))));
  const { results, replies } = await store.inGroupsThen(DOING, { items: leased, size: GROUP, command }, reads);
  const bytes = replies.flatMap(list).map(maybeBytes);
  return { opened: results.map(openedOf), bytes: await completeForeign(context, leased, bytes) };
}

/** Copies as bytes, or why one cannot be used. */
type Copies = (Buffer | VconError | undefined)[];

/** MGET says nothing where a neighbour stored a document with RedisJSON; those are read one by one. */
async function completeForeign(context: Context, leased: readonly Leased[], bytes: Copies): Promise<Copies> {
  const missing = leased.flatMap(({ uuid }, at) => (bytes[at] === undefined ? [{ uuid, at }] : []));
  if (missing.length === 0) return bytes;
  const types = await context.store.all(
    DOING,
    missing.map(({ uuid }) => read("type", documentKey(uuid))),
  );
  const there = missing.filter((_, index) => types[index] !== "none");
  const documents = await readEach(
    context,
    there.map(({ uuid }) => uuid),
  );
  const complete = [...bytes];
  for (const [index, { at }] of there.entries()) complete[at] = bytesOf(documents[index]);
  return complete;
}

const bytesOf = (document: Document | VconError | undefined): Buffer | VconError | undefined =>
  document instanceof VconError ? document : document && Buffer.from(document.bytes);

/** Leases and documents are in different slots: the leases are looked at before and after. */
async function openApart(context: Context, leased: readonly Leased[]) {
  const { store } = context;
  const before = await stillHeld(store, leased);
  const held = leased.filter((_, at) => before[at]);
  const args = (lease: Leased) => openArguments(lease, "");
  const replies = await store.each({ doing: DOING, script: "open" as const, keys: openKeys, args }, held);
  const after = await stillHeld(store, held);
  const lost: Opened = { kind: "lost" };
  const states = new Map(held.map((lease, at) => [lease, after[at] ? openedOf(replies[at]) : lost]));
  const opened = leased.map((lease) => states.get(lease) ?? lost);
  const documents = await readEach(
    context,
    leased.map(({ uuid }) => uuid),
  );
  return { opened, bytes: documents.map(bytesOf) };
}

async function stillHeld(store: Store, leased: readonly Leased[]): Promise<boolean[]> {
  const packed = await store.all(
    "looking at leases",
    leased.map(({ list: name, entry }) => read("hget", listKeys(name).runs, entry)),
  );
  return leased.map(({ token }, at) => maybeText(packed[at])?.startsWith(`${token} `) === true);
}

function openedOf(reply: unknown): Opened {
  if (reply instanceof VconError) return { kind: "fault", error: reply };
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

/** Written by `checkpoint` or a dead letter of this server; if it cannot be read, the run starts again. */
const checkpointOf = (json: string | undefined): Checkpoint | undefined => parseOwn<Checkpoint>(json);
