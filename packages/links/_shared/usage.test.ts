import { silent } from "@vcon-server/core";
import { fakeFetch, manualClock, sampleVcon } from "@vcon-server/core/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { reportUsage, type Usage, usageOptions } from "./usage.ts";

const schema = z.strictObject(usageOptions);
const URL = "https://billing.example/usage";
const TOKEN = "canary-token";
const usage: Usage = {
  uuid: sampleVcon().uuid,
  what: "ANALYZE",
  unit: "tokens",
  input: 12,
  output: 3,
  model: "gpt-4o",
};

function setting(fetch: typeof globalThis.fetch, options: z.input<typeof schema> = {}) {
  const warnings: unknown[] = [];
  const log = { ...silent, warn: (...said: readonly unknown[]) => void warnings.push(said) };
  const given = { send_ai_usage_data_to_url: URL, ai_usage_api_token: TOKEN, ...options };
  const clock = manualClock(Date.UTC(2026, 0, 2));
  const signal = new AbortController().signal;
  return { context: { options: schema.parse(given), fetch, clock, signal, log }, warnings, clock };
}

test("tells what was used as the Python server tells it", async () => {
  const { fetch, requests } = fakeFetch(() => new Response("ok"));
  const { context, warnings } = setting(fetch);
  await reportUsage(usage, context);
  expect(requests).toMatchObject([{ method: "POST", url: URL, redirect: "manual" }]);
  expect(requests[0]?.headers).toMatchObject({ "content-type": "application/json", authorization: `Bearer ${TOKEN}` });
  expect(JSON.parse(requests[0]?.body ?? "")).toEqual({
    created_at: "2026-01-02T00:00:00.000Z",
    record_id: usage.uuid,
    type: "VCON_PROCESSING",
    sub_type: "ANALYZE",
    unit_type: "tokens",
    input_units: 12,
    output_units: 3,
    ai_model: "gpt-4o",
  });
  expect(warnings).toEqual([]);
});

test("without an address nothing is told", async () => {
  const { fetch, requests } = fakeFetch(() => new Response("ok"));
  await reportUsage(usage, setting(fetch, { send_ai_usage_data_to_url: undefined }).context);
  expect(requests).toEqual([]);
});

test.each([
  ["a refusal", () => new Response("no", { status: 403 }), '"status":403'],
  [
    "a broken connection",
    () => Promise.reject(new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") })),
    "ECONNREFUSED",
  ],
])("%s is a line in the log and no failure", async (_, answer, words) => {
  const { context, warnings } = setting(fakeFetch(answer).fetch);
  await reportUsage(usage, context);
  expect(warnings).toHaveLength(1);
  expect(JSON.stringify(warnings)).toContain(words);
  expect(JSON.stringify(warnings)).not.toContain(TOKEN);
});

test("an answer that never comes is not waited for", async () => {
  const { fetch, requests } = fakeFetch(() => new Promise<Response>(() => undefined));
  const { context, warnings, clock } = setting(fetch);
  const reporting = reportUsage(usage, context);
  await expect.poll(() => requests.length).toBe(1);
  clock.advance(10_000);
  await reporting;
  expect(JSON.stringify(warnings)).toContain("no answer within 10 s");
});

test.each([
  [{ send_ai_usage_data_to_url: "billing.example" }, "address"],
  [{ ai_usage_api_token: "a\nb" }, "one word"],
])("the options %o are refused", (options, message) => {
  expect(() => schema.parse(options)).toThrow(message);
});
