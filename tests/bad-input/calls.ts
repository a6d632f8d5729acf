import { sampleVcon } from "@vcon-server/core/testing";
import type { Service } from "@vcon-server/core/testing/services";
import { type Dialog, tagsOf, type Vcon } from "@vcon-server/vcon";
import { expect } from "vitest";
import type { BackendKind } from "../stage/world.ts";
import { type Deployment, deploy, until } from "./deployment.ts";
import { type Outside, type ServiceName, startOutside } from "./outside.ts";

export const CANARIES = {
  deepgram: "dg-canary-3f1c9a77",
  openai: "sk-canary-8b20de41",
  crm: "canary-crm-5d07",
  signature: "canary-signature-91",
  /** A key that no service takes. */
  wrong: "canary-wrong-key-60e2",
} as const;

export type Step = "transcribe" | "label" | "notify";
const STEPS: readonly Step[] = ["transcribe", "label", "notify"];

/** Something bad, and the link that meets it. */
export interface Trouble {
  readonly what: string;
  /** Link that meets it. */
  readonly step: Step;
  /** How a service answers until it is mended. */
  readonly broken?: readonly [name: ServiceName, service: Service | "refuses"];
  /** Members of the recording's dialog, in place of good ones, until the vCon is corrected. */
  readonly dialog?: (media: string) => Partial<Dialog>;
  /** Options of the link, until the configuration is corrected. */
  readonly wrong?: Readonly<Record<string, unknown>>;
  /** Options of the link for good. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly retries?: Readonly<Record<string, unknown>>;
  /** Plug-in that is asked in place of `analyze_and_label`. */
  readonly module?: "analyze" | "check_and_tag";
  /** Settings of the chain. */
  readonly chain?: Readonly<Record<string, unknown>>;
}

/** Something bad, and how a person is told. */
export interface Case extends Trouble {
  readonly code: string;
  /** What the message says, the remedy included. */
  readonly says: RegExp;
  /** Tries until it was given up; 2 is all there are. */
  readonly tries?: 1 | 2;
}

/** The chain of a case, by its number. */
export interface Tenant {
  readonly name: string;
  readonly ingress: string;
  readonly egress: string;
}

export const tenantOf = (index: number | "well"): Tenant => {
  const name = `c${index}`;
  return { name, ingress: `${name}_in`, egress: `${name}_out` };
};

const LAVISH_SECS = 20;
const RETRIES = { max_attempts: 2, initial_delay_secs: 0.05, max_delay_secs: 0.2 };

function linksOf({ name }: Tenant, outside: Outside, one?: Trouble): Record<string, object> {
  const own = (step: Step) => (one?.step === step ? { ...one.options, ...one.wrong } : {});
  const entry = (step: Step, module: string, options: object) => [
    `${step}_${name}`,
    { module, options, retries: { ...RETRIES, ...(one?.step === step && one.retries) } },
  ];
  const vendor_options = {
    DEEPGRAM_KEY: CANARIES.deepgram,
    DEEPGRAM_URL: outside.url(name, "deepgram"),
    minimum_duration: 0,
    max_audio_bytes: 65_536,
    timeout_secs: LAVISH_SECS,
    download_timeout_secs: LAVISH_SECS,
    ...own("transcribe"),
  };
  return Object.fromEntries([
    entry("transcribe", "transcribe", { vendor: "deepgram", vendor_options }),
    entry("label", one?.module ?? "analyze_and_label", {
      OPENAI_API_KEY: CANARIES.openai,
      OPENAI_BASE_URL: `${outside.url(name, "openai")}/v1`,
      model: "gpt-4o-mini",
      analysis_type: "labeled_analysis",
      timeout_secs: LAVISH_SECS,
      cache_secs: 0,
      ...own("label"),
    }),
    entry("notify", "webhook", {
      "webhook-urls": [`${outside.url(name, "crm")}/hook`],
      auth_header: `Bearer ${CANARIES.crm}`,
      timeout_secs: LAVISH_SECS,
      ...own("notify"),
    }),
  ]);
}

/** A chain for each case and one where all is well: mark → transcribe → label → notify → archive. */
function callsConfig(cases: readonly Trouble[], outside: Outside, mended: ReadonlySet<Trouble>): object {
  const tenants = [
    [tenantOf("well"), undefined] as const,
    ...cases.map((one, index) => [tenantOf(index), mended.has(one) ? withoutWrong(one) : one] as const),
  ];
  const links = Object.assign(
    { mark: { module: "tag", options: { tags: ["seen"] } } },
    ...tenants.map(([tenant, one]) => linksOf(tenant, outside, one)),
  );
  const chains = tenants.map(([{ name, ingress, egress }, one]) => [
    name,
    {
      ...one?.chain,
      ingress_lists: [ingress],
      links: ["mark", ...STEPS.map((step) => `${step}_${name}`)],
      storages: ["archive"],
      egress_lists: [egress],
    },
  ]);
  const storages = { archive: { module: "file", options: { path: "archive" } } };
  return { links, storages, chains: Object.fromEntries(chains) };
}

const withoutWrong = ({ wrong: _, ...one }: Trouble): Trouble => one;

/** A call with a recording. */
export const call = (url: string, dialog: Partial<Dialog> = {}): Vcon =>
  sampleVcon({ dialog: [{ ...recording(url), ...dialog }] });

const recording = (url: string): Dialog => ({
  type: "recording",
  start: "2026-01-02T03:04:05Z",
  duration: 1,
  parties: [0, 1],
  mediatype: "audio/wav",
  url: `${url}?sig=${CANARIES.signature}`,
});

/** Types of what stands in a vCon once the steps before this one are done. */
const MADE: Readonly<Record<Step | "all", readonly string[]>> = {
  transcribe: [],
  label: ["transcript", "wtf_transcription"],
  notify: ["transcript", "wtf_transcription", "labeled_analysis"],
  all: ["transcript", "wtf_transcription", "labeled_analysis"],
};

/** Expects everything that was sent, the tag of the first link, and what further links have made, each once. */
export function expectSafe(kept: Vcon, sent: Vcon, before: Step | "all"): void {
  const { uuid, parties, dialog } = sent;
  expect(kept).toMatchObject({ uuid, parties, dialog });
  expect(tagsOf(kept).get("seen")).toEqual(["seen"]);
  expect((kept.analysis ?? []).map(({ type }) => type)).toEqual(MADE[before]);
}

/** A deployment under bad input. Everything is sent at once, each bad vCon beside a good one. */
export interface Calls {
  readonly on: Deployment;
  readonly outside: Outside;
  pairOf(one: Trouble): Pair;
  /** Puts services, configuration or vCon right, and gives the vCon as it is to be kept then. */
  mend(one: Trouble): Promise<Vcon>;
  close(): Promise<void>;
}

/** What is sent for a case. */
export interface Pair {
  readonly tenant: Tenant;
  readonly bad: Vcon;
  readonly good: Vcon;
  /** Where the good one goes: into the same chain where only the recording is at fault. */
  readonly beside: Tenant;
}

function pairOf({ broken, dialog }: Trouble, tenant: Tenant, outside: Outside): Pair {
  const { url } = outside;
  const isInput = dialog !== undefined || (broken?.[0] === "media" && broken[1] !== "refuses");
  const beside = isInput ? tenant : tenantOf("well");
  const media = url(tenant.name, "media");
  return {
    tenant,
    beside,
    bad: call(`${media}/bad.wav`, dialog?.(media)),
    good: call(`${url(beside.name, "media")}/good.wav`),
  };
}

export async function startCalls(backend: BackendKind, cases: readonly Trouble[]): Promise<Calls> {
  const outside = await startOutside(CANARIES);
  for (const [index, { broken }] of cases.entries()) {
    const { name } = tenantOf(index);
    if (!broken) continue;
    const [service, behaviour] = broken;
    if (behaviour === "refuses") await outside.refuse(name, service);
    else outside.breakDown(name, service, behaviour);
  }
  const config = (mended: ReadonlySet<Trouble>) => callsConfig(cases, outside, mended);
  const env = { CONSERVER_ALLOWED_NETWORKS: "127.0.0.0/8" };
  const on = await deploy({ backend, config: config(new Set()), env });
  const pairs = new Map(cases.map((one, index) => [one, pairOf(one, tenantOf(index), outside)]));
  const sent = [...pairs.values()].flatMap(({ tenant, bad, good, beside }) => [
    on.client.post(bad, { lists: [tenant.ingress] }),
    on.client.post(good, { lists: [beside.ingress] }),
  ]);
  await Promise.all(sent);
  const mended = new Set<Trouble>();
  const calls: Calls = {
    on,
    outside,
    pairOf: (one) => pairs.get(one) as Pair,
    async mend(one) {
      const { tenant, bad } = calls.pairOf(one);
      await outside.mend(tenant.name);
      mended.add(one);
      if (one.wrong) await on.reconfigure(config(mended));
      if (!one.dialog) return bad;
      const dialog = recording(`${outside.url(tenant.name, "media")}/mended.wav`);
      await on.client.patch(bad.uuid, [{ op: "replace", path: "/dialog/0", value: dialog }]);
      return { ...bad, dialog: [dialog] };
    },
    async close() {
      await on.close();
      await outside.close();
    },
  };
  return calls;
}

/** Expects that a case is reported, hurts nobody else, and is over once it is mended. */
export async function prove(one: Case, calls: Calls): Promise<void> {
  const { on, outside } = calls;
  const { tenant, bad, good, beside } = calls.pairOf(one);
  const { uuid } = bad;
  const told = { link: `${one.step}_${tenant.name}`, code: one.code };
  const letter = await on.letter(tenant.ingress, uuid);
  expect(letter).toMatchObject({ ...told, kind: "link", message: expect.stringMatching(one.says) });
  expect(letter.attempt).toBe(one.tries ?? 1);
  await on.logged({ uuid, ...told, "log.level": "error", message: "vCon dead-lettered" });
  expectSafe(await on.vcon(uuid), bad, one.step);
  expect(await on.hasLeft(uuid, tenant.egress)).toBe(false);
  // the rest goes on
  await on.through(good.uuid, beside.egress);
  expectSafe(await on.vcon(good.uuid), good, "all");
  // and so does this one when it is mended
  const right = await calls.mend(one);
  await until(`${uuid} coming through when tried again`, async () => {
    await on.client.reprocess(tenant.ingress);
    return on.hasLeft(uuid, tenant.egress);
  });
  await on.through(uuid, tenant.egress);
  expectSafe(await on.vcon(uuid), right, "all");
  expect(await on.letters(tenant.ingress)).toEqual([]);
  // what was paid for before is not paid for again, and the receiver heard of it once
  if (one.step !== "transcribe") expect(outside.asked(tenant.name, "deepgram")).toBe(1);
  if (one.step === "notify") expect(outside.asked(tenant.name, "openai")).toBe(1);
  expect(outside.received.get(uuid)).toMatchObject({ deliveries: 1, accepted: 1 });
}
