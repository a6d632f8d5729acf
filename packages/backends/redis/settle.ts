import { VconError } from "@vcon-server/core";
import { type Ending, type Lease, requireAll, type SettleResult } from "@vcon-server/core/backend";
import { entryOf, type Origins, originKey } from "./claim.ts";
import { commitRuns } from "./commit.ts";
import type { Context } from "./context.ts";
import { type Commit, outboxOf } from "./endings.ts";
import { documentKeys, isKeySafe, listKeys } from "./keys.ts";
import type { Consumers } from "./lists.ts";
import type { Outboxes, Pending } from "./outbox.ts";
import { writeCheckpoints } from "./owners.ts";
import { integer, list } from "./replies.ts";

export interface SettleDeps {
  readonly context: Context;
  readonly consumers: Consumers;
  readonly outboxes: Outboxes;
  readonly origins: Origins;
}

type Later = Extract<Ending, { kind: "later" }>;
type Release = Extract<Ending, { kind: "release" }>;

const LOST: SettleResult = { kind: "lost" };
const OK: SettleResult = { kind: "ok", rev: undefined, deliver: [] };

/** Ends runs. May be repeated after a failure: what was done is not done twice, what was not is finished. */
export async function settleRuns(deps: SettleDeps, batch: readonly Ending[]): Promise<SettleResult[]> {
  const results = new Map<Ending, SettleResult | VconError>();
  const note = (endings: readonly Ending[], found: readonly (SettleResult | VconError)[]) => {
    for (const [at, ending] of endings.entries()) results.set(ending, found[at] ?? OK);
  };
  const commits = batch.filter(isCommit);
  const documented = commits.filter(({ lease }) => isKeySafe(lease.uuid));
  const loose = commits.filter(({ lease }) => !isKeySafe(lease.uuid));
  const laters = batch.filter((ending) => ending.kind === "later");
  const releases = batch.filter((ending) => ending.kind === "release");
  if (documented.length > 0) note(documented, await commitOrBury(deps, documented));
  if (loose.length > 0) note(loose, await endLoose(deps, loose));
  if (laters.length > 0) note(laters, await delay(deps, laters));
  if (releases.length > 0) note(releases, await release(deps, releases));
  for (const [ending, result] of results) {
    const over = !(result instanceof VconError) && result.kind !== "conflict";
    if (over) deps.origins.delete(originKey(ending.lease));
  }
  return requireAll(batch.map((ending) => results.get(ending) ?? OK));
}

/** A dead letter needs no document: where a key of the vCon itself is at fault, the letter alone is written. */
async function commitOrBury(deps: SettleDeps, endings: readonly Commit[]): Promise<(SettleResult | VconError)[]> {
  const results = await commitRuns(deps, endings);
  const dead = endings.filter(({ kind }, at) => kind === "dead" && results[at] instanceof VconError);
  if (dead.length === 0) return results;
  const buried = await endLoose(deps, dead);
  const again = new Map(dead.map((ending, at) => [ending, buried[at] ?? OK]));
  return endings.map((ending, at) => again.get(ending) ?? results[at] ?? OK);
}

const isCommit = (ending: Ending): ending is Commit =>
  ending.kind === "done" || ending.kind === "halted" || ending.kind === "dead";

/** Entries that cannot be uuids have no document: only their pushes and dead letters count. */
async function endLoose(
  { outboxes }: Pick<SettleDeps, "outboxes">,
  endings: readonly Commit[],
): Promise<(SettleResult | VconError)[]> {
  const pending = endings.map((ending): Pending => {
    const outbox = { ...outboxOf(ending), storages: [] };
    return { lease: ending.lease, text: `${JSON.stringify(outbox)}\n` };
  });
  const blocked = new Map((await outboxes.carryOut(pending)).map(({ lease, error }) => [lease, error]));
  return endings.map(({ lease }) => blocked.get(lease) ?? OK);
}

async function delay(deps: SettleDeps, endings: readonly Later[]): Promise<(SettleResult | VconError)[]> {
  const { context, outboxes } = deps;
  const kept = endings.filter(({ checkpoint }) => checkpoint !== undefined);
  const writes = kept.map(({ lease, checkpoint }) => ({
    lease,
    checkpoint: checkpoint as NonNullable<Later["checkpoint"]>,
  }));
  const states = await writeCheckpoints(context, writes);
  const refused = new Map<Ending, "lost" | "gone">();
  for (const [at, state] of states.entries()) if (state !== "ok") refused.set(kept[at] as Later, state);
  const gone = endings.filter((ending) => refused.get(ending) === "gone");
  await outboxes.end(gone.map(({ lease }) => lease));
  const parking = endings.filter((ending) => !refused.has(ending));
  const parked = await park(
    context,
    parking.map(({ lease, delay: ms, attempt }) => ({ lease, mode: "later", ms, attempt: String(attempt) })),
  );
  const held = new Map(parking.map((ending, at) => [ending, parked[at] ?? LOST]));
  return endings.map((ending) => {
    const state = refused.get(ending);
    return state ? { kind: state } : (held.get(ending) ?? LOST);
  });
}

async function release(deps: SettleDeps, endings: readonly Release[]): Promise<(SettleResult | VconError)[]> {
  const { context, origins } = deps;
  const { store } = context;
  const fresh = endings.filter(({ lease }) => origins.get(originKey(lease)) === "fresh" && isKeySafe(lease.uuid));
  const answers = await store.orFaults(
    "giving entries back",
    fresh.map(({ lease }) =>
      store.call("unopen", [documentKeys(lease.uuid).meta], [entryOf(lease), lease.token, lease.list]),
    ),
  );
  const opened = new Map(fresh.map((ending, at) => [ending, answers[at]]));
  const modeOf = (ending: Release): Parking["mode"] => {
    const origin = origins.get(originKey(ending.lease));
    if (origin === "alone") return "suspect";
    if (origin === "fresh" && !isKeySafe(ending.lease.uuid)) return "head";
    return opened.get(ending) === "head" ? "head" : "later";
  };
  // "lost" in the document's slot means lost in the list's slot, or an opening that was taken back by a former try
  return park(
    context,
    endings.map((ending) => ({ lease: ending.lease, mode: modeOf(ending), ms: 0, attempt: "" })),
  );
}

interface Parking {
  readonly lease: Lease;
  readonly mode: "later" | "head" | "suspect";
  readonly ms: number;
  readonly attempt: string;
}

/** Parks what is still held; a list whose own keys hold something else fails alone. */
async function park({ store }: Context, parking: readonly Parking[]): Promise<(SettleResult | VconError)[]> {
  const groups = [...Map.groupBy(parking, ({ lease }) => lease.list)];
  const replies = await store.orFaults(
    "parking entries",
    groups.map(([name, items]) => {
      const { list: entries, runs, parked, later, suspects } = listKeys(name);
      const args = items.flatMap(({ lease, mode, ms, attempt }) => [
        lease.entry,
        lease.token,
        mode,
        Math.max(0, Math.ceil(ms)),
        attempt,
      ]);
      return store.call("park", [entries, runs, parked, later, suspects], args);
    }),
  );
  const held = new Map<Parking, SettleResult | VconError>();
  for (const [at, [, items]] of groups.entries()) {
    const flags = replies[at];
    for (const [index, item] of items.entries())
      held.set(item, flags instanceof VconError ? flags : integer(list(flags)[index]) === 1 ? OK : LOST);
  }
  return parking.map((item) => held.get(item) ?? LOST);
}
