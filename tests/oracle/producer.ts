import { setTimeout as sleep } from "node:timers/promises";
import { contentOf, type Sent, uuidOf } from "./content.ts";
import { type Random, seeded } from "./random.ts";

export interface Load {
  /** Goes on until this many are acknowledged, and until `until` resolves. */
  readonly atLeast: number;
  /** Requests a second over all connections, at most. */
  readonly perSecond: number;
  readonly connections: number;
  readonly mark?: (index: number) => string | undefined;
  /** Share of the requests without an answer that are not repeated, so that their fate stays open. */
  readonly abandon?: number;
  /** Address below which recordings lie, for vCons that have one. */
  readonly media?: string;
}

export interface Production {
  readonly seed: number;
  readonly load: Load;
  readonly list: string;
  /** Addresses of the gateways; each try takes one of them. */
  readonly urls: () => readonly string[];
  readonly until: Promise<unknown>;
  /** Aborted when the test gives up. */
  readonly signal: AbortSignal;
}

/** What a producer knows: an obligation is only what was acknowledged. */
export interface Ledger {
  readonly sent: ReadonlyMap<string, Sent>;
  readonly acknowledged: ReadonlySet<string>;
  /** Tries without an acknowledgement, by status or by what went wrong on the wire. */
  readonly failures: ReadonlyMap<string, number>;
}

export interface Producer {
  readonly ledger: Ledger;
  readonly done: Promise<void>;
}

const ANSWER_MS = 20_000;
const REPEAT_MS = 150;

/** Posts vCons over HTTP until told to end. Rejects when the server refuses a request for good (4xx). */
export function produce(production: Production): Producer {
  const { seed, load, signal } = production;
  const random = seeded(seed, "producer");
  const sent = new Map<string, Sent>();
  const acknowledged = new Set<string>();
  const failures = new Map<string, number>();
  const began = performance.now();
  let next = 0;
  let ended = false;
  void production.until.finally(() => {
    ended = true;
  });

  async function send(item: Sent): Promise<void> {
    const uuid = uuidOf(item);
    const body = JSON.stringify(contentOf(item));
    sent.set(uuid, item);
    for (;;) {
      const answer = await post(pick(production.urls(), random), body, production.list);
      if (answer === "201") return void acknowledged.add(uuid);
      failures.set(answer, (failures.get(answer) ?? 0) + 1);
      if (/^4/.test(answer) && answer !== "429") throw new Error(`POST of ${uuid} was refused with ${answer}`);
      if (signal.aborted || random() < (load.abandon ?? 0)) return;
      await sleep(REPEAT_MS * (0.5 + random()));
    }
  }

  async function connection(): Promise<void> {
    while (!signal.aborted && !(ended && acknowledged.size >= load.atLeast)) {
      const index = next++;
      const early = (index / load.perSecond) * 1000 - (performance.now() - began);
      if (early > 0) await sleep(early);
      await send({ seed, index, mark: load.mark?.(index), ...(load.media !== undefined && { media: load.media }) });
    }
  }

  const done = Promise.all(Array.from({ length: load.connections }, connection)).then(() => undefined);
  // whoever waits for `done` sees the failure; until then it must not end the process
  done.catch(() => undefined);
  return { ledger: { sent, acknowledged, failures }, done };
}

const pick = (urls: readonly string[], random: Random): string => urls[Math.floor(random() * urls.length)] as string;

/** The status of the answer, or the code of what kept it from coming. */
export async function post(url: string, body: string, list: string): Promise<string> {
  try {
    const response = await fetch(`${url}/api/vcon?ingress_lists=${list}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await response.arrayBuffer();
    return String(response.status);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? ("code" in cause ? String(cause.code) : cause.name) : String(cause);
  }
}
