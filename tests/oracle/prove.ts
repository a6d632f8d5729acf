import { setTimeout as sleep } from "node:timers/promises";
import type { Gateway } from "../stage/http.ts";
import type { JudgedStorage } from "../stage/rows.ts";
import { contentOf, type Sent, uuidOf } from "./content.ts";
import { type LoggedStep, readEffects } from "./effect-log.ts";
import { type FaultPlan, injectAll, scaled } from "./faults.ts";
import { type Bounds, type DeadLetter, type Evidence, judge, type Row, type Verdict } from "./judge.ts";
import { type Ledger, type Load, post, produce } from "./producer.ts";

/** The system under test as the oracle sees it: where to send, what to look into. */
export interface Stage {
  readonly urls: () => readonly string[];
  readonly gateway: Gateway;
  readonly ingress: string;
  readonly egress: string;
  readonly storages: readonly JudgedStorage[];
  readonly effectLog: string;
  readonly effectSteps: readonly LoggedStep[];
  /** What the servers have written, for the report of a failure. */
  readonly output: () => string;
}

export interface Proof {
  /** Begins the line that is printed. */
  readonly name: string;
  readonly stage: Stage;
  readonly seed: number;
  readonly load: Load;
  readonly faults: readonly FaultPlan[];
  readonly bounds: Bounds;
  /** Milliseconds after the last fault within which everything must have come to rest. */
  readonly settleWithin?: number;
  /** Done when everything has come to rest and before the evidence is taken. */
  readonly before?: (ledger: Ledger) => Promise<void>;
}

const SETTLE_MS = scaled(60_000, 600_000);
const PRODUCE_MS = scaled(180_000, 1_800_000);
const POLL_MS = 200;

/** Sends, injects, waits for rest, judges. Throws with every objection; resolves with what was counted. */
export async function proveNothingLost(proof: Proof): Promise<Verdict["counts"] & { readonly ledger: Ledger }> {
  const { stage, seed, load, bounds } = proof;
  const giveUp = AbortSignal.timeout(PRODUCE_MS);
  const injected = Promise.withResolvers<void>();
  const producer = produce({
    seed,
    load,
    list: stage.ingress,
    urls: stage.urls,
    until: injected.promise,
    signal: giveUp,
  });
  const faults = injectAll(proof.faults, { seed, ledger: producer.ledger, signal: giveUp }).finally(injected.resolve);
  try {
    const [hits] = await Promise.all([faults, producer.done]);
    const { settled, egress } = await rest(stage, producer.ledger, proof.settleWithin ?? SETTLE_MS);
    await proof.before?.(producer.ledger);
    const media = load.media === undefined ? {} : { media: load.media };
    const fresh = { seed, index: producer.ledger.sent.size + 1_000_000, mark: undefined, ...media };
    const sent = new Map(producer.ledger.sent).set(uuidOf(fresh), fresh);
    const flows = await comesThrough(stage, fresh);
    const { acknowledged } = producer.ledger;
    const evidence = await collect(stage, { sent, acknowledged, egress, faults: hits, fresh: flows });
    const verdict = judge(evidence, bounds);
    say(proof, verdict, producer.ledger);
    const objections = settled ? verdict.objections : ["did not come to rest in time", ...verdict.objections];
    if (objections.length > 0) throw new Error(objections.join("\n"));
    return { ...verdict.counts, ledger: producer.ledger };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${proof.name} (seed ${seed}): ${message}\nthe server's last words:\n${stage.output().slice(-6_000)}`,
      { cause: error },
    );
  }
}

/** What has left the server so far, and whether nothing is owed any more. */
interface Rest {
  readonly settled: boolean;
  readonly egress: readonly string[];
}

/** Waits until every obligation is in every storage and on the egress list, or dead-lettered. */
async function rest(stage: Stage, { acknowledged }: Ledger, within: number): Promise<Rest> {
  const deadline = performance.now() + within;
  const egress: string[] = [];
  let settled = false;
  while (!settled && performance.now() < deadline) {
    // a backend or a storage may still be on its way back: then it is asked again
    settled = await isSettled(stage, acknowledged, egress).catch(() => false);
    if (!settled) await sleep(POLL_MS);
  }
  return { settled, egress };
}

async function isSettled(stage: Stage, acknowledged: ReadonlySet<string>, egress: string[]): Promise<boolean> {
  egress.push(...(await stage.gateway.drain(stage.egress)));
  const dead = (await stage.gateway.deadLetters(stage.ingress)).map(({ uuid }) => uuid);
  const complete = (uuids: readonly string[]): boolean => {
    const found = new Set([...uuids, ...dead]);
    return [...acknowledged].every((uuid) => found.has(uuid));
  };
  // what leaves last is asked first: looking into a storage may cost it more than the test is worth
  if (!complete(egress)) return false;
  for (const storage of stage.storages) if (!complete(await storage.uuids())) return false;
  return true;
}

/** Whether a vCon sent now reaches every storage. */
async function comesThrough(stage: Stage, fresh: Sent): Promise<boolean> {
  const uuid = uuidOf(fresh);
  const [url = ""] = stage.urls();
  if ((await post(url, JSON.stringify(contentOf(fresh)), stage.ingress)) !== "201") return false;
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    const held = await Promise.all(stage.storages.map(async (storage) => (await storage.uuids()).includes(uuid)));
    if (held.every(Boolean)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

type Known = Pick<Evidence, "sent" | "acknowledged" | "egress" | "faults" | "fresh">;

async function collect(stage: Stage, known: Known): Promise<Evidence> {
  const storages = new Map<string, readonly Row[]>();
  for (const storage of stage.storages) storages.set(storage.name, await storage.rows());
  const dead: DeadLetter[] = await stage.gateway.deadLetters(stage.ingress);
  const egress = [...known.egress, ...(await stage.gateway.drain(stage.egress))];
  return { ...known, storages, dead, egress, effects: readEffects(stage.effectLog), steps: stage.effectSteps };
}

function say({ name, seed }: Proof, { counts, objections }: Verdict, { failures }: Ledger): void {
  const counted = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
  const unanswered = [...failures].map(([what, count]) => `${what}×${count}`).join(" ") || "none";
  const result = objections.length === 0 ? "0 lost" : "FAILED";
  process.stdout.write(
    `[proof] ${name}: ${result}; ${counted.join(", ")}; requests without acknowledgement ${unanswered}; seed ${seed}\n`,
  );
}
