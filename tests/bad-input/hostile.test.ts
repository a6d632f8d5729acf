import { gzipSync } from "node:zlib";
import { deepgramFault } from "@vcon-server/core/testing/services/deepgram";
import { fakeOpenAi, type OpenAiScript } from "@vcon-server/core/testing/services/openai";
import { tagsOf } from "@vcon-server/vcon";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ESCAPES, endless, fault, nested, says } from "./behaviours.ts";
import {
  CANARIES,
  type Calls,
  type Case,
  call,
  expectSafe,
  prove,
  startCalls,
  type Trouble,
  tenantOf,
} from "./calls.ts";
import { TEST_MS, until } from "./deployment.ts";

vi.setConfig({ testTimeout: TEST_MS, hookTimeout: TEST_MS });

const MEGABYTE = Buffer.alloc(1_000_000, "x");
/** An answer that nobody asked for, made once: many are sent at the same time. */
const huge = (before: string, after: string) =>
  Buffer.concat([Buffer.from(before), ...Array.from({ length: 50 }, () => MEGABYTE), Buffer.from(after)]);
/** A hundred megabytes of blanks in a hundred kilobytes. */
const BOMB = new Uint8Array(gzipSync(Buffer.alloc(100_000_000, " ")));
const chat = (script: OpenAiScript) => fakeOpenAi(script).answer;
const json = { "content-type": "application/json" };

const HEARD = { step: "transcribe" } as const;
const ASKED = { step: "label" } as const;
const TOLD = { step: "notify" } as const;
const ANSWER = { code: "VCON_SERVICE_ANSWER", tries: 2 } as const;
const ENDLESS = { code: "VCON_SERVICE_ANSWER", says: /the answer is longer than \d+ bytes/ } as const;

const heard = (transcript: string, more = ""): string =>
  `{"results":{"channels":[{"alternatives":[{"transcript":${JSON.stringify(transcript)},"confidence":1${more}}]}]}}`;
const labelled = (labels: readonly string[], more = ""): string => `{"labels":${JSON.stringify(labels)}${more}}`;

const CASES: readonly Case[] = [
  {
    ...HEARD,
    ...ANSWER,
    what: "Deepgram: 50 MB of JSON without a transcript",
    broken: ["deepgram", says(huge('{"padding":"', '"}'))],
    says: /holds no transcript/,
  },
  { ...HEARD, ...ENDLESS, what: "Deepgram: an answer without end", broken: ["deepgram", endless(MEGABYTE)] },
  {
    ...HEARD,
    ...ENDLESS,
    what: "Deepgram: a gzip bomb",
    broken: ["deepgram", says(BOMB, { "content-encoding": "gzip" })],
  },
  { ...ASKED, ...ENDLESS, what: "OpenAI: a gzip bomb", broken: ["openai", says(BOMB, { "content-encoding": "gzip" })] },
  {
    ...HEARD,
    ...ANSWER,
    what: "Deepgram: JSON of a million levels",
    broken: ["deepgram", says(nested(1_000_000))],
    says: /the answer is nested too deeply/,
  },
  {
    ...HEARD,
    ...ANSWER,
    what: "Deepgram: a transcript beside JSON of a million levels",
    broken: ["deepgram", says(heard("Hello.", `,"more":${nested(1_000_000)}`))],
    says: /the answer is nested too deeply/,
  },
  {
    ...HEARD,
    code: "VCON_SERVICE_REFUSED",
    what: "Deepgram: terminal escapes in its error message",
    broken: ["deepgram", fault(deepgramFault(400, ESCAPES, `No: ${ESCAPES}`))],
    says: /answers 400: No: /,
  },
  {
    ...ASKED,
    code: "VCON_SERVICE_REFUSED",
    what: "OpenAI: terminal escapes in its error message",
    broken: ["openai", fault({ status: 400, body: JSON.stringify({ error: { message: ESCAPES, code: ESCAPES } }) })],
    says: /answers 400: /,
  },
  {
    ...ASKED,
    code: "VCON_SERVICE_REFUSED",
    what: "OpenAI: an error message of a megabyte without a space",
    broken: ["openai", fault({ status: 400, body: JSON.stringify({ error: { message: `${MEGABYTE}` } }) })],
    says: /answers 400: x+; /,
  },
  {
    ...ASKED,
    code: "VCON_SERVICE_ANSWER",
    what: "OpenAI: an answer of 50 MB",
    broken: ["openai", says(huge('{"choices":[{"message":{"content":"', '"}}]}'))],
    says: /the answer has over 1000000 characters/,
  },
  { ...ASKED, ...ENDLESS, what: "OpenAI: an answer without end", broken: ["openai", endless(MEGABYTE, json)] },
  {
    ...ASKED,
    ...ANSWER,
    what: "OpenAI: JSON of a million levels",
    broken: ["openai", says(nested(1_000_000))],
    says: /is no chat completion/,
  },
  {
    ...ASKED,
    ...ANSWER,
    what: "OpenAI: labels beside JSON of a hundred thousand levels",
    broken: ["openai", chat({ chat: () => labelled(["delivery"], `,"more":${nested(100_000)}`) })],
    says: /not of the wanted form: it is no JSON/,
  },
  {
    ...TOLD,
    code: "VCON_SERVICE_REFUSED",
    what: "webhook: a refusal without end",
    broken: ["crm", endless(MEGABYTE, {}, 400)],
    says: /answers 400: x{300}; check webhook-urls/,
  },
  {
    ...TOLD,
    code: "VCON_SERVICE_REFUSED",
    what: "webhook: a redirect to an address of ten thousand escapes",
    broken: ["crm", fault({ status: 308, headers: { location: `http://${"%1b%5b2J".repeat(1_000)}` } })],
    says: /answers 308; redirects are not followed/,
  },
];

/** What may be strange and is no failure: it goes through, and no other vCon looks different for it. */
const STRANGE: readonly Trouble[] = [
  {
    ...HEARD,
    what: "Deepgram: members named __proto__ and constructor",
    broken: [
      "deepgram",
      says(heard("Hello.", ',"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}')),
    ],
  },
  {
    ...HEARD,
    what: "Deepgram: a transcript of terminal escapes",
    broken: ["deepgram", says(heard(ESCAPES))],
  },
  {
    ...HEARD,
    what: "Deepgram: a transcript beside JSON of a hundred levels",
    broken: ["deepgram", says(heard("Hello.", `,"more":${nested(100)}`))],
  },
  {
    ...HEARD,
    what: "Deepgram: a transcript that no database takes",
    chain: { json_bodies: "value" },
    broken: ["deepgram", says(heard("Hello\0 and \ud800."))],
  },
  {
    ...ASKED,
    what: "OpenAI: labels and members named __proto__",
    broken: [
      "openai",
      chat({
        chat: () => labelled(["__proto__", "constructor", ESCAPES.replaceAll("\0", "")], ',"__proto__":{"polluted":1}'),
      }),
    ],
  },
  {
    ...TOLD,
    what: "webhook: a page with status 200, as large as you like",
    broken: ["crm", endless(MEGABYTE, { "content-type": "text/html" })],
  },
];

/** A service that asks for a year's patience. */
const PATIENT: readonly Trouble[] = (
  [
    ["transcribe", "deepgram", 503],
    ["label", "openai", 429],
    ["notify", "crm", 503],
  ] as const
).map(([step, name, status]) => ({
  step,
  what: `${name}: ${status} with a Retry-After of a year`,
  broken: [name, fault({ status, headers: { "retry-after": "31536000" } })],
}));

let calls: Calls;
beforeAll(async () => {
  calls = await startCalls("embedded", [...CASES, ...STRANGE, ...PATIENT]);
});
afterAll(() => calls?.close());

test.each(CASES)("$what: a dead letter that says so, the vCon safe, and the rest goes on", (one) => prove(one, calls));

test.each(STRANGE)("$what: goes through and leaves no trace elsewhere", async (one) => {
  const { on, outside, pairOf } = calls;
  const { tenant, bad, good, beside } = pairOf(one);
  await on.through(bad.uuid, tenant.egress);
  expectSafe(await on.vcon(bad.uuid), bad, "all");
  // nothing that databases refuse; in a body that is text, JSON may spell it
  expect((await on.client.get(bad.uuid))?.text).not.toMatch(/(?<!\\)\\u(0000|d800)/i);
  await on.through(good.uuid, beside.egress);
  const later = call(`${outside.url(tenantOf("well").name, "media")}/later.wav`);
  await on.client.post(later, { lists: [tenantOf("well").ingress] });
  await on.through(later.uuid, tenantOf("well").egress);
  const kept = await on.vcon(later.uuid);
  expectSafe(kept, later, "all");
  expect(Object.keys(Object.fromEntries(tagsOf(kept)))).toEqual(["seen", "delivery"]);
  expect(JSON.stringify(kept)).not.toContain("polluted");
});

test.each(PATIENT)("$what: holds up this vCon alone, and queueing it again brings it through", async (one) => {
  const { on, outside, pairOf, mend } = calls;
  const { tenant, bad, good, beside } = pairOf(one);
  const [name = "crm"] = one.broken ?? [];
  await until("the service being asked", () => outside.asked(tenant.name, name) > 0);
  await on.through(good.uuid, beside.egress);
  expect(await on.letters(tenant.ingress)).toEqual([]);
  expect(await on.hasLeft(bad.uuid, tenant.egress)).toBe(false);
  expect(outside.asked(tenant.name, name)).toBe(1);
  await mend(one);
  await on.client.queue(tenant.ingress, [bad.uuid]);
  await on.through(bad.uuid, tenant.egress);
  expectSafe(await on.vcon(bad.uuid), bad, "all");
});

test("no secret is told, and nothing in the log or the dead letters steers a terminal", () => {
  calls.on.expectClean(Object.values(CANARIES));
});
