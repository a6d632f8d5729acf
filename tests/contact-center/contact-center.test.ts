import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { killWorker, until } from "../faults/kinds.ts";
import { FAULT_TEST_MS, type Fault, type FaultPlan, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { postgresRows } from "../stage/rows.ts";
import { type BackendKind, makeWorld, type World } from "../stage/world.ts";
import { contactCenter, environment } from "./configure.ts";
import { elasticRows, milvusRows, s3Rows } from "./rows.ts";
import {
  BAD_DAY,
  DEEPGRAM_KEY,
  isUrgent,
  OPENAI_KEY,
  type Surroundings,
  startSurroundings,
  WEBHOOK_SECRET,
} from "./services.ts";

const CALLS = scaled(1_000, 10_000);

/** A storage is gone for a while and comes back. */
const away = (name: string, leave: () => Promise<unknown>, comeBack: () => Promise<unknown>): Fault => ({
  name,
  async inject() {
    await leave();
    await sleep(scaled(1_500, 60_000));
    await comeBack();
    return 1;
  },
});

/** Every service behind HTTP has a bad day at once. */
const badDay = ({ deepgram, openai, crm, media, elasticsearch }: Surroundings): Fault => ({
  name: "bad day",
  async inject() {
    for (const service of [deepgram, openai, crm, elasticsearch]) service.fail(...BAD_DAY);
    // a page in place of a recording would rightly be bad media
    media.fail(...BAD_DAY.filter((fault) => typeof fault === "string" || fault.status !== 200));
    return 5 * BAD_DAY.length - 1;
  },
});

const plans = (world: World, around: Surroundings): FaultPlan[] => [
  { fault: killWorker(world), times: scaled(2, 20), pause: [1_500, 3_000] },
  { fault: badDay(around), times: scaled(3, 30), pause: [500, 2_000] },
  { fault: away("postgres down", around.postgres.kill, around.postgres.start), times: 1, pause: [1_000, 2_000] },
  { fault: away("s3 down", around.s3.pause, around.s3.start), times: 1, pause: [1_500, 3_000] },
  {
    fault: away("elasticsearch down", around.elasticsearch.pause, around.elasticsearch.start),
    times: 1,
    pause: [500, 3_000],
  },
  { fault: away("milvus down", around.milvus.kill, around.milvus.start), times: 1, pause: [2_000, 4_000] },
];

const world = async (backend: BackendKind, around: Surroundings): Promise<World> => {
  const { host, port, user, database } = around.postgres;
  const storages = [
    postgresRows(`postgres://${user}@${host}:${port}/${database}`),
    s3Rows(around.s3),
    elasticRows(around.elasticsearch),
    milvusRows(around.milvus),
  ];
  const instead = { config: contactCenter(around), ingress: "calls_ingress", egress: "calls_egress", storages };
  return makeWorld({ backend, servers: 1, workers: 2, env: environment(around), instead });
};

test(`the contact centre of the example: ${CALLS} calls, every service and storage failing, workers killed: nothing lost, nothing doubled`, {
  timeout: FAULT_TEST_MS,
}, async () => {
  const around = await startSurroundings();
  const on = await world("redis", around);
  try {
    const faults = plans(on, around);
    const { ledger } = await proveNothingLost({
      name: "contact centre",
      stage: on.stage,
      seed: 2_026,
      load: { atLeast: CALLS, perSecond: 150, connections: 16, media: around.urls.media },
      faults,
      bounds: { acknowledged: CALLS, faults: 2 + 4 + 3 * (5 * BAD_DAY.length - 1), redelivered: 0, most: { dead: 0 } },
      before: ({ sent }) => urgentOnesAreThrough(on, [...sent.values()].filter(({ index }) => isUrgent(index)).length),
    });
    await nothingDoubled(on, around, ledger.acknowledged);
    noSecretAnywhere(on, await everythingStored(on));
  } finally {
    await on.close();
    await around.stop();
  }
});

/** The urgent chain has a list of its own, which a judge of the first chain does not look at. */
async function urgentOnesAreThrough({ stage }: World, count: number): Promise<void> {
  const seen = new Set<string>();
  await until(`${count} urgent calls through their own chain`, async () => {
    for (const uuid of await stage.gateway.drain("urgent_egress")) seen.add(uuid);
    return seen.size >= count;
  });
}

interface Stored {
  readonly uuid?: string;
  readonly analysis?: readonly { readonly type: string; readonly dialog?: unknown }[];
  readonly attachments?: readonly { readonly purpose?: string; readonly body?: string }[];
}

async function everythingStored({ stage }: World): Promise<readonly Stored[]> {
  const [records] = stage.storages;
  return ((await records?.rows()) ?? []).map(({ document = {} }) => document as Stored);
}

/** One transcript, one analysis, each tag once; the CRM may hear of a call again, but always of the same one. */
async function nothingDoubled(
  on: World,
  { crm, deepgram }: Surroundings,
  acknowledged: ReadonlySet<string>,
): Promise<void> {
  for (const { uuid, analysis = [], attachments = [] } of await everythingStored(on)) {
    const made = analysis.map(({ type, dialog }) => `${type} of ${dialog}`).toSorted();
    // the chat of the call is analysed as well as the recording
    expect(made, uuid).toEqual([
      "labeled_analysis of 0",
      "labeled_analysis of 1",
      "transcript of 1",
      "wtf_transcription of 1",
    ]);
    const tags: string[] = JSON.parse(attachments.find(({ purpose }) => purpose === "tags")?.body ?? "[]");
    expect(tags.length, uuid).toBe(new Set(tags).size);
    expect(tags.includes("escalated:escalated"), uuid).toBe(tags.includes("urgent:urgent"));
  }
  const announced = [...crm.received].filter(([uuid]) => acknowledged.has(uuid));
  expect(announced).toHaveLength(acknowledged.size);
  expect(announced.filter(([, { ids }]) => ids.size !== 1)).toEqual([]);
  expect(crm.refused).toEqual([]);
  const paid = deepgram.requests.length;
  process.stdout.write(
    `[proof] contact centre: ${paid} calls of Deepgram for ${acknowledged.size} recordings, faults included\n`,
  );
}

/** Neither in what is stored nor in what the server says. */
function noSecretAnywhere({ stage }: World, stored: readonly Stored[]): void {
  const [documents, output] = [JSON.stringify(stored), stage.output()];
  for (const secret of [DEEPGRAM_KEY, OPENAI_KEY, WEBHOOK_SECRET, "canary-elastic-5d", "canary-webhook-secret"]) {
    expect(documents.includes(secret), "a secret in a vCon").toBe(false);
    expect(output.includes(secret), "a secret in the log").toBe(false);
  }
}
