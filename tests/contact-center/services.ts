import { type ElasticsearchServer, startElasticsearch } from "@vcon-server/core/testing/servers/elasticsearch";
import { type MilvusServer, startMilvus } from "@vcon-server/core/testing/servers/milvus";
import { type PostgresServer, startPostgres } from "@vcon-server/core/testing/servers/postgres";
import { type S3Server, startS3 } from "@vcon-server/core/testing/servers/s3";
import {
  type FakeService,
  type Fault,
  fakeService,
  type ServedService,
  serve,
} from "@vcon-server/core/testing/services";
import { sampleAudio } from "@vcon-server/core/testing/services/audio";
import { fakeDeepgram } from "@vcon-server/core/testing/services/deepgram";
import { fakeOpenAi } from "@vcon-server/core/testing/services/openai";
import { type WebhookReceiver, webhookReceiver } from "@vcon-server/core/testing/services/webhook";

export const DEEPGRAM_KEY = "dg-canary-3f1c9a77";
export const OPENAI_KEY = "sk-canary-8b20de41";
export const WEBHOOK_SECRET = `whsec_${Buffer.from("canary-webhook-secret-01").toString("base64")}`;

/** Everything outside that the contact centre of the example talks to. */
export interface Surroundings {
  readonly deepgram: FakeService;
  readonly openai: FakeService;
  readonly crm: WebhookReceiver;
  /** Where the recordings are. */
  readonly media: FakeService;
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
  readonly elasticsearch: ElasticsearchServer;
  readonly milvus: MilvusServer;
  readonly urls: { readonly deepgram: string; readonly openai: string; readonly crm: string; readonly media: string };
  stop(): Promise<void>;
}

/** Recordings differ by number in their length; what they say is how many bytes they have. */
const recording = (index: number): Uint8Array<ArrayBuffer> => sampleAudio(0, SHORTEST + index);
const SHORTEST = 4_000;
const HEADER = 44;

/** One call in ten is urgent: those whose number ends with 0. */
export const isUrgent = (index: number): boolean => index % 10 === 0;

function labelsFor(text: string): string {
  const index = Number(/(\d+) bytes/.exec(text)?.[1]) - HEADER - SHORTEST;
  return JSON.stringify({ labels: isUrgent(index) ? ["delivery", "urgent"] : ["delivery"] });
}

export async function startSurroundings(): Promise<Surroundings> {
  const deepgram = fakeDeepgram({ key: DEEPGRAM_KEY });
  const openai = fakeOpenAi({ key: OPENAI_KEY, chat: ({ text }) => labelsFor(text) });
  const crm = webhookReceiver({ secrets: [WEBHOOK_SECRET] });
  const media = fakeService(({ url }) => {
    const index = Number(/\/(\d+)\.wav$/.exec(url.pathname)?.[1]);
    return new Response(recording(index), { headers: { "content-type": "audio/wav" } });
  });
  const served: ServedService[] = [];
  const port = async (service: FakeService): Promise<string> => {
    const one = await serve(service.answer);
    served.push(one);
    return one.url;
  };
  const urls = {
    deepgram: await port(deepgram),
    openai: await port(openai),
    crm: await port(crm),
    media: await port(media),
  };
  const [postgres, s3, elasticsearch, milvus] = await Promise.all([
    startPostgres(),
    startS3(),
    startElasticsearch(),
    startMilvus(),
  ]);
  return {
    deepgram,
    openai,
    crm,
    media,
    postgres,
    s3,
    elasticsearch,
    milvus,
    urls,
    async stop() {
      await Promise.all([
        ...served.map((one) => one.close()),
        postgres.stop(),
        s3.stop(),
        elasticsearch.stop(),
        milvus.stop(),
      ]);
    },
  };
}

/** What a service of the trade does on a bad day. */
export const BAD_DAY: readonly Fault[] = [
  { status: 429, headers: { "retry-after": "1" } },
  { status: 500 },
  "cut",
  { status: 503, headers: { "retry-after": "1" }, body: "<html>busy</html>" },
  "hang",
  { status: 200, body: "<html>maintenance</html>" },
  { status: 502 },
];
