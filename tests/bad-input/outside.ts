import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { type ServedService, type Service, serve } from "@vcon-server/core/testing/services";
import { sampleAudio } from "@vcon-server/core/testing/services/audio";
import { fakeDeepgram } from "@vcon-server/core/testing/services/deepgram";
import { fakeOpenAi } from "@vcon-server/core/testing/services/openai";
import { type Received, webhookReceiver } from "@vcon-server/core/testing/services/webhook";

const NAMES = ["media", "deepgram", "openai", "crm"] as const;
export type ServiceName = (typeof NAMES)[number];

/** A recording so short that hundreds of them are no work. */
export const RECORDING = sampleAudio(1);

/** Outside services. Each tenant has addresses of its own, so that one is broken while others are well. */
export interface Outside {
  url(tenant: string, name: ServiceName): string;
  /** Lets a service of a tenant answer in this way; of media, only what is named `bad.wav`. */
  breakDown(tenant: string, name: ServiceName, service: Service): void;
  /** Lets nobody listen where a service of a tenant should be. */
  refuse(tenant: string, name: ServiceName): Promise<void>;
  mend(tenant: string): Promise<void>;
  /** How often a service of a tenant was asked. */
  asked(tenant: string, name: ServiceName): number;
  /** What came of vCons at receivers, by uuid. */
  readonly received: ReadonlyMap<string, Received>;
  close(): Promise<void>;
}

const PATH = /^\/(?<tenant>[^/]+)\/(?<name>media|deepgram|openai|crm)(?<rest>\/.*)$/;

/** Starts them; each takes one key. */
export async function startOutside(keys: Readonly<Record<"deepgram" | "openai", string>>): Promise<Outside> {
  const crm = webhookReceiver();
  const well: Readonly<Record<ServiceName, Service>> = {
    media: () => new Response(RECORDING, { headers: { "content-type": "audio/wav" } }),
    deepgram: fakeDeepgram({ key: keys.deepgram }).answer,
    openai: fakeOpenAi({ key: keys.openai, chat: () => JSON.stringify({ labels: ["delivery"], applies: true }) })
      .answer,
    crm: crm.answer,
  };
  const broken = new Map<string, Service>();
  const counts = new Map<string, number>();
  const elsewhere = new Map<string, number>();

  const answer: Service = (request) => {
    const { tenant = "", name = "", rest = "/" } = PATH.exec(request.url.pathname)?.groups ?? {};
    const key = `${tenant}/${name}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    const spared = name === "media" && !rest.endsWith("/bad.wav");
    const service = (spared ? undefined : broken.get(key)) ?? well[name as ServiceName];
    const url = new URL(`${rest}${request.url.search}`, request.url);
    return service({ ...request, url });
  };

  const served: ServedService[] = [await serve(answer)];
  const [{ url: main }] = served as [ServedService];
  return {
    url(tenant, name) {
      const port = elsewhere.get(`${tenant}/${name}`);
      return `${port === undefined ? main : `http://127.0.0.1:${port}`}/${tenant}/${name}`;
    },
    breakDown: (tenant, name, service) => void broken.set(`${tenant}/${name}`, service),
    async refuse(tenant, name) {
      elsewhere.set(`${tenant}/${name}`, await freePort());
    },
    async mend(tenant) {
      for (const key of NAMES.map((name) => `${tenant}/${name}`)) {
        broken.delete(key);
        const port = elsewhere.get(key);
        if (port !== undefined) served.push(await serve(answer, port));
      }
    },
    asked: (tenant, name) => counts.get(`${tenant}/${name}`) ?? 0,
    received: crm.received,
    close: async () => void (await Promise.all(served.map((one) => one.close()))),
  };
}
