import { parseVcon, withTags } from "@vcon-server/vcon";
import { z } from "zod";
import type { Claim } from "../../backend/backend.ts";
import type { ChainPlan, LinkStep, TracerPlan } from "../../config/plan.ts";
import { defineLink, forward, type Link } from "../../plugin/link.ts";
import { systemClock } from "../../resilience/index.ts";
import { silent } from "../../telemetry/logger.ts";
import { type Progress, type RunContext, resume, runChain } from "../run.ts";
import { openRuntime } from "../runtime.ts";

const UUID = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";
/** A document to run on. */
export const json = JSON.stringify({
  uuid: UUID,
  created_at: "2026-09-14T08:30:00Z",
  parties: [{ name: "Nadia" }],
  x_keep: [1],
});
export const document = { uuid: parseVcon(json).uuid, rev: 3, bytes: new TextEncoder().encode(json) };

/** A link made of a function. */
export const link = (name: string, run: Link["run"], effect = false): Link =>
  defineLink({ name, summary: name, options: z.strictObject({}), effect, run });

export const step = (plugin: Link, changes: Partial<LinkStep> = {}): LinkStep => ({
  name: plugin.name,
  plugin,
  options: {},
  timeout: 1_000,
  retries: { maxAttempts: 3, initialDelay: 10, maxDelay: 100, multiplier: 2, quotaWait: 60_000 },
  onError: "dlq",
  ...changes,
});

export const chainOf = (links: readonly LinkStep[], changes: Partial<ChainPlan> = {}): ChainPlan => ({
  name: "calls",
  enabled: true,
  ingressLists: ["calls_in"],
  links,
  storages: [],
  required: [],
  egressLists: [],
  tracers: [],
  timeout: undefined,
  concurrency: undefined,
  dlqName: "calls_dlq",
  onHalt: "expire",
  egressVersion: undefined,
  jsonBodies: "text",
  profile: "tolerant",
  ...changes,
});

export const claim: Claim = {
  list: "calls_in",
  chain: "calls",
  entry: "1",
  token: 1,
  uuid: document.uuid,
  attempt: 0,
  deaths: 0,
  document,
  checkpoint: undefined,
};

/** Runs a chain of these links once, from the start unless told otherwise. */
export async function run(
  links: readonly LinkStep[],
  { tracers = [], ...options }: Partial<RunContext> & { start?: Progress; tracers?: readonly TracerPlan[] } = {},
) {
  const chain = options.chain ?? chainOf(links);
  const plan = { version: "v", chains: [chain], storages: [], tracers, ingressAuth: new Map(), shown: {} };
  const runtime = await openRuntime(plan, silent);
  const checkpoints: Progress[] = [];
  const end = await runChain(options.start ?? resume(document, undefined, links), {
    claim,
    chain,
    runtime,
    egressVersion: undefined,
    stop: new AbortController().signal,
    clock: systemClock,
    random: () => 0.5,
    watch: { begin: () => () => undefined },
    checkpoint: async (progress) => {
      checkpoints.push(progress);
      return true;
    },
    observe: () => undefined,
    ...options,
  });
  return { end, checkpoints };
}

export const tagging = (value: string): Link =>
  link(`tag_${value}`, ({ vcon }) => forward(withTags(vcon, [{ name: value, value }])));
