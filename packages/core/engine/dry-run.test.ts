import { toBytes, withTags } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import type { LinkStep } from "../config/plan.ts";
import { VconError } from "../errors/index.ts";
import { stubNetwork } from "../network/index.ts";
import { forward, halt } from "../plugin/link.ts";
import { silent } from "../telemetry/logger.ts";
import { instantClock } from "../testing/clocks.ts";
import { noNetwork } from "../testing/fake-fetch.ts";
import { sampleVcon } from "../testing/samples.ts";
import { failing, link, step, tagging } from "./conformance/stage.ts";
import { dryRun } from "./dry-run.ts";

const vcon = sampleVcon();

function dry(links: readonly LinkStep[], clock = instantClock()) {
  const chain = {
    name: "calls",
    enabled: false,
    ingressLists: ["calls_in"],
    links,
    storages: ["archive"],
    required: ["archive"],
    egressLists: ["calls_out"],
    tracers: [],
    timeout: undefined,
    concurrency: undefined,
    dlqName: "calls_dlq",
    onHalt: "expire" as const,
    egressVersion: undefined,
    jsonBodies: "text" as const,
    profile: "tolerant" as const,
  };
  const plan = { version: "v", chains: [chain], storages: [], tracers: [], ingressAuth: new Map(), shown: {} };
  const network = stubNetwork(noNetwork);
  const { signal } = new AbortController();
  return dryRun({ plan, chain, bytes: toBytes(vcon), network, clock, random: () => 0.5, log: silent, signal });
}

test("says what would be stored, sent and delivered, and stores nothing", async () => {
  const routing = link("routing", ({ vcon }) => forward(vcon, { sendTo: ["urgent"] }));
  const run = await dry([step(tagging("a")), step(routing)]);
  expect(run).toMatchObject({ outcome: "forward", sentTo: ["urgent"], storedIn: ["archive"], egress: ["calls_out"] });
  expect(run.before).toEqual(vcon);
  expect(run.after).toEqual(withTags(vcon, [{ name: "a", value: "a" }]));
  expect(run.steps.map(({ link, outcome }) => [link, outcome])).toEqual([
    ["tag_a", "forward"],
    ["routing", "forward"],
  ]);
});

test("a link that leaves the vCon as it came says why", async () => {
  const idle = link("idle", () => forward(vcon, { unchanged: "no text" }));
  const { steps } = await dry([step(tagging("a")), step(idle)]);
  expect(steps.map(({ link: name, unchanged }) => [name, unchanged])).toEqual([
    ["tag_a", undefined],
    ["idle", "no text"],
  ]);
});

test("a halted vCon goes nowhere, and the reason is named", async () => {
  const halting = link("halting", () => halt("seen enough"));
  expect(await dry([step(halting)])).toMatchObject({
    outcome: "halt",
    link: "halting",
    reason: "seen enough",
    storedIn: [],
  });
});

test("tries are repeated as in the engine, without waiting for real", async () => {
  const clock = instantClock();
  const run = await dry([step(failing(new VconError("VCON_SERVICE_DOWN", "away", { retryAfterSecs: 60 })))], clock);
  expect(run).toMatchObject({ outcome: "dead", link: "failing", error: { code: "VCON_SERVICE_DOWN" } });
  expect(run.steps).toHaveLength(3);
  expect(clock.slept.every((ms) => ms >= 60_000)).toBe(true);
});
