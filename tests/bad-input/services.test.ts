import { deepgramFault } from "@vcon-server/core/testing/services/deepgram";
import {
  fakeOpenAi,
  invalidKey,
  type OpenAiScript,
  quotaUsedUp,
  rateLimited,
} from "@vcon-server/core/testing/services/openai";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { fault, PAGE, page, redirect, says, stuck } from "./behaviours.ts";
import { CANARIES, type Calls, type Case, expectSafe, prove, startCalls, type Trouble } from "./calls.ts";
import { TEST_MS, until } from "./deployment.ts";

vi.setConfig({ testTimeout: TEST_MS, hookTimeout: TEST_MS });

/** Seconds that a service which never answers is waited for. */
const short = { timeout_secs: 1.5 };
const chat = (script: OpenAiScript) => fakeOpenAi(script).answer;

const HEARD = { step: "transcribe" } as const;
const ASKED = { step: "label" } as const;
const TOLD = { step: "notify" } as const;
const ANSWER = { code: "VCON_SERVICE_ANSWER", tries: 2 } as const;
const DOWN = { code: "VCON_SERVICE_DOWN", tries: 2 } as const;
const LATE = {
  code: "VCON_SERVICE_TIMEOUT",
  tries: 2,
  options: short,
  says: /no answer within 1.5 s; raise the time limit/,
} as const;
const KEY = { code: "VCON_SERVICE_CREDENTIALS" } as const;

const DEEPGRAM: readonly Case[] = [
  {
    ...HEARD,
    ...KEY,
    what: "Deepgram: a wrong key",
    wrong: { DEEPGRAM_KEY: CANARIES.wrong },
    says: /answers 401: Invalid credentials\.; check DEEPGRAM_KEY/,
  },
  {
    ...HEARD,
    ...KEY,
    what: "Deepgram: a key that is repeated in the answer",
    broken: [
      "deepgram",
      fault(deepgramFault(403, "INSUFFICIENT_PERMISSIONS", `Key ${CANARIES.deepgram} may not do this.`)),
    ],
    says: /answers 403: Key \*\*\* may not do this\.; check DEEPGRAM_KEY and its rights/,
  },
  {
    ...HEARD,
    code: "VCON_SERVICE_REFUSED",
    what: "Deepgram: a parameter that it does not know",
    broken: ["deepgram", fault(deepgramFault(400, "INVALID_QUERY_PARAMETER", "Invalid model."))],
    says: /answers 400: Invalid model\.; check the parameters in api/,
  },
  { ...HEARD, ...ANSWER, what: "Deepgram: a page with status 200", broken: ["deepgram", page], says: /is no JSON/ },
  {
    ...HEARD,
    ...DOWN,
    what: "Deepgram: 503 with a large page",
    broken: ["deepgram", fault({ status: 503, body: PAGE + " ".repeat(100_000) })],
    says: /answers 503$/,
  },
  {
    ...HEARD,
    ...ANSWER,
    what: "Deepgram: JSON of another kind",
    broken: ["deepgram", says('{"request_id": "7a2b6c1e"}')],
    says: /holds no transcript/,
  },
  {
    ...HEARD,
    ...DOWN,
    what: "Deepgram: an answer that breaks off",
    broken: ["deepgram", fault("cut")],
    says: /: other side closed$/,
  },
  { ...HEARD, ...DOWN, what: "Deepgram: refusing connections", broken: ["deepgram", "refuses"], says: /ECONNREFUSED/ },
  { ...HEARD, ...LATE, what: "Deepgram: no answer", broken: ["deepgram", fault("hang")] },
  { ...HEARD, ...LATE, what: "Deepgram: an answer that gets stuck", broken: ["deepgram", stuck(Buffer.from("{"))] },
  {
    ...HEARD,
    ...DOWN,
    what: "Deepgram: an answer that only says it is gzip",
    broken: ["deepgram", says("{}", { "content-encoding": "gzip" })],
    says: /: incorrect header check$/,
  },
];

const OPENAI: readonly Case[] = [
  {
    ...ASKED,
    ...KEY,
    what: "OpenAI: a wrong key",
    wrong: { OPENAI_API_KEY: CANARIES.wrong },
    says: /answers 401: .*; check the key/,
  },
  {
    ...ASKED,
    ...KEY,
    what: "OpenAI: a wrong key that is repeated in the answer",
    broken: ["openai", fault(invalidKey(CANARIES.openai))],
    says: /Incorrect API key provided: \*\*\*\..*; check the key/,
  },
  {
    ...ASKED,
    code: "VCON_SERVICE_QUOTA",
    tries: 2,
    what: "OpenAI: nothing left to spend, for longer than quota_wait_secs",
    broken: ["openai", fault(quotaUsedUp())],
    retries: { quota_wait_secs: 0.3 },
    says: /answers 429: You exceeded your current quota.*the account is used up: top it up/,
  },
  {
    ...ASKED,
    ...ANSWER,
    what: "OpenAI: prose in place of JSON",
    broken: ["openai", chat({ chat: () => "Sure! The labels are delivery and question." })],
    says: /not of the wanted form: it is no JSON/,
  },
  {
    ...ASKED,
    ...ANSWER,
    what: "OpenAI: JSON of another form",
    broken: ["openai", chat({ chat: () => '{"labels": "delivery"}' })],
    says: /not of the wanted form: at labels: .*expected array/,
  },
  {
    ...ASKED,
    ...ANSWER,
    tries: 1,
    what: "OpenAI: an answer that is cut off",
    broken: ["openai", chat({ chat: () => ({ content: '{"labels": ["deliv', finish: "length" }) })],
    says: /is cut off; raise max_tokens/,
  },
  {
    ...ASKED,
    code: "VCON_SERVICE_REFUSED",
    what: "OpenAI: the model declines",
    broken: ["openai", chat({ chat: () => ({ refusal: "I cannot help with that." }) })],
    says: /declines to answer; set on_refusal to skip/,
  },
  {
    ...ASKED,
    code: "VCON_SERVICE_REFUSED",
    what: "OpenAI: no such model",
    broken: ["openai", chat({ models: ["gpt-other"] })],
    says: /answers 404: The model .* does not exist.*check the model/,
  },
  {
    ...ASKED,
    ...ANSWER,
    what: "OpenAI: a word in place of yes or no",
    module: "check_and_tag",
    options: { tag_name: "urgent", tag_value: "yes", evaluation_question: "Is it urgent?" },
    broken: ["openai", chat({ chat: () => '{"applies": "false"}' })],
    says: /not of the wanted form: at applies: .*expected boolean/,
  },
  {
    ...ASKED,
    ...ANSWER,
    what: "OpenAI: an answer that does not fit the schema",
    module: "analyze",
    options: { json_schema: { type: "object", properties: { labels: { type: "array" } }, required: ["labels"] } },
    broken: ["openai", chat({ chat: () => '{"label": "delivery"}' })],
    says: /not of the wanted form: at labels: /,
  },
  {
    ...ASKED,
    ...ANSWER,
    what: "OpenAI: an empty answer",
    module: "analyze",
    broken: ["openai", chat({ chat: () => " " })],
    says: /the answer is empty/,
  },
  {
    ...ASKED,
    ...ANSWER,
    what: "OpenAI: a page with status 200",
    broken: ["openai", page],
    says: /no chat completion$/,
  },
  {
    ...ASKED,
    ...DOWN,
    what: "OpenAI: an answer that breaks off",
    broken: ["openai", fault("cut")],
    says: /: other side closed$/,
  },
  { ...ASKED, ...DOWN, what: "OpenAI: refusing connections", broken: ["openai", "refuses"], says: /ECONNREFUSED/ },
  { ...ASKED, ...LATE, what: "OpenAI: no answer", broken: ["openai", fault("hang")] },
  {
    ...ASKED,
    code: "VCON_SERVICE_REFUSED",
    what: "OpenAI: a redirect, which would carry the key elsewhere",
    broken: ["openai", redirect("http://127.0.0.1:9/v1/chat/completions")],
    says: /answers 302.*redirects are not followed/,
  },
];

const WEBHOOK: readonly Case[] = [
  {
    ...TOLD,
    ...DOWN,
    what: "webhook: 500",
    broken: ["crm", fault({ status: 500 })],
    says: /answers 500: said 500$/,
  },
  {
    ...TOLD,
    code: "VCON_SERVICE_REFUSED",
    what: "webhook: 410",
    broken: ["crm", fault({ status: 410 })],
    says: /answers 410: said 410; check webhook-urls/,
  },
  {
    ...TOLD,
    ...KEY,
    what: "webhook: 401",
    broken: ["crm", fault({ status: 401, body: `{"error":"no: Bearer ${CANARIES.crm}"}` })],
    says: /answers 401: no: \*\*\*; check webhook-urls, headers, auth_header and secrets/,
  },
  {
    ...TOLD,
    code: "VCON_SERVICE_REFUSED",
    what: "webhook: a redirect",
    broken: ["crm", redirect("http://169.254.169.254/")],
    says: /answers 302; redirects are not followed: configure the address it leads to/,
  },
  {
    ...TOLD,
    ...DOWN,
    what: "webhook: a page that says 503",
    broken: ["crm", fault({ status: 503, headers: { "content-type": "text/html" }, body: "<h1>busy</h1>" })],
    says: /answers 503$/,
  },
  { ...TOLD, ...DOWN, what: "webhook: refusing connections", broken: ["crm", "refuses"], says: /ECONNREFUSED/ },
  { ...TOLD, ...LATE, what: "webhook: no answer", broken: ["crm", fault("hang")] },
  {
    ...TOLD,
    code: "VCON_ADDRESS_REFUSED",
    what: "webhook: an address on a private network",
    wrong: { "webhook-urls": ["http://10.0.0.7/hook"] },
    says: /10\.0\.0\.7 is not on the public internet; .*CONSERVER_ALLOWED_NETWORKS/,
  },
];

/** What is waited for: it never becomes a dead letter. More tries than there are would have been made long ago. */
const WAITING: readonly Trouble[] = [
  {
    ...ASKED,
    what: "OpenAI: a rate limit",
    broken: ["openai", fault(rateLimited(1))],
  },
  {
    ...HEARD,
    what: "Deepgram: too many requests",
    broken: ["deepgram", fault(deepgramFault(429, "TOO_MANY_REQUESTS", "Too many requests."))],
  },
  {
    ...ASKED,
    what: "OpenAI: nothing left to spend",
    broken: ["openai", fault(quotaUsedUp())],
  },
];

const CASES = [...DEEPGRAM, ...OPENAI, ...WEBHOOK];

let calls: Calls;
beforeAll(async () => {
  calls = await startCalls("redis", [...CASES, ...WAITING]);
});
afterAll(() => calls?.close());

test.each(CASES)("$what: a dead letter that says so, the vCon safe, and the rest goes on", (one) => prove(one, calls));

test.each(WAITING)("$what: the vCon waits for as long as it lasts, and then goes through by itself", async (one) => {
  const { on, outside, pairOf, mend } = calls;
  const { tenant, bad, good, beside } = pairOf(one);
  const [name = "crm"] = one.broken ?? [];
  await until("more tries than a failure has", () => outside.asked(tenant.name, name) > 2);
  await on.through(good.uuid, beside.egress);
  expect(await on.letters(tenant.ingress)).toEqual([]);
  expect(await on.hasLeft(bad.uuid, tenant.egress)).toBe(false);
  const link = `${one.step}_${tenant.name}`;
  await on.logged({ "log.level": "warn", link, code: "VCON_SERVICE_QUOTA", error: expect.stringMatching(/429/) });
  await mend(one);
  await on.through(bad.uuid, tenant.egress);
  expectSafe(await on.vcon(bad.uuid), bad, "all");
});

test("no key is in a dead letter, the log or a vCon", async () => {
  const keys = [CANARIES.deepgram, CANARIES.openai, CANARIES.crm, CANARIES.wrong];
  calls.on.expectClean([...keys, CANARIES.signature]);
  for (const one of CASES) {
    const kept = JSON.stringify(await calls.on.vcon(calls.pairOf(one).bad.uuid));
    for (const key of keys) expect(kept).not.toContain(key);
  }
});
