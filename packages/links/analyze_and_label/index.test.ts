import { fetchFrom, type LinkRun, manualClock, testLink } from "@vcon-server/core/testing";
import { fakeOpenAi } from "@vcon-server/core/testing/services/openai";
import { tagsOf, type Vcon, withTags } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CANARY, calls, failure, testAsking } from "../_shared/llm/testing/suite.ts";
import link, { tagsFrom } from "./index.ts";

testAsking({
  link,
  reply: '{"labels": ["refund", "angry customer"]}',
  unfit: [
    "confidential",
    '{"labels": ["confidential"',
    '["confidential"]',
    "null",
    "7",
    '"confidential"',
    "{}",
    '{"labels": "confidential"}',
    '{"labels": [{"confidential": 1}]}',
    '{"labels": null}',
  ],
  type: "labeled_analysis",
});

async function run(reply: string, options: object = {}, given: Partial<LinkRun> = {}) {
  const service = fakeOpenAi({ chat: () => reply });
  const outcome = await testLink(link, {
    vcon: calls("hello"),
    options: { OPENAI_API_KEY: CANARY, ...options },
    fetch: fetchFrom(service.answer),
    clock: manualClock(),
    ...given,
  });
  return { vcon: outcome.vcon ?? calls(), bodies: service.requests.map(({ text }) => JSON.parse(text)) };
}

const tags = (vcon: Vcon) => Object.fromEntries(tagsOf(vcon));

test("asks and writes as the Python server does", async () => {
  const { vcon, bodies } = await run('{"labels": ["refund", "angry customer"], "why": "said so"}', {
    prompt: "Label it.",
  });
  expect(bodies).toMatchObject([{ model: "gpt-4-turbo", temperature: 0.2, response_format: { type: "json_object" } }]);
  expect(bodies[0].messages[1]).toEqual({ role: "user", content: "Label it.\n\nhello" });
  expect(vcon.analysis?.[1]).toMatchObject({
    type: "labeled_analysis",
    dialog: 0,
    vendor: "openai",
    body: '{"labels":["refund","angry customer"],"why":"said so"}',
    encoding: "json",
    vendor_schema: { model: "gpt-4-turbo", prompt: "Label it." },
  });
  expect(tags(vcon)).toEqual({ refund: ["refund"], "angry customer": ["angry customer"] });
});

test("labels of several dialogs, and tags that are there, are added once", async () => {
  const vcon = withTags(calls("one", "two"), [{ name: "refund", value: "refund" }]);
  const after = (await run('{"labels": ["refund", " refund ", "new:one", ""]}', {}, { vcon })).vcon;
  expect(tags(after)).toEqual({ refund: ["refund"], "new:one": ["new:one"] });
  expect(after.attachments).toHaveLength(1);
  expect(JSON.parse(String(after.attachments?.[0]?.body))).toEqual(["refund:refund", "new:one:new:one"]);
});

test("no labels are an answer too", async () => {
  const { vcon } = await run('{"labels": []}');
  expect(vcon.analysis).toHaveLength(2);
  expect(vcon.attachments).toBeUndefined();
});

test("a label is one tag that is found again, whatever is in it", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (labels) => {
      const made = tagsFrom(labels);
      const once = withTags(calls(), made);
      expect(withTags(once, made)).toBe(once);
      expect(made.every(({ name, value }) => tagsOf(once).get(name)?.includes(value))).toBe(true);
    }),
  );
});

test("labels can be held to a schema", async () => {
  const schema = {
    type: "object",
    properties: { labels: { type: "array", items: { enum: ["sales", "support"] } } },
    required: ["labels"],
    additionalProperties: false,
  };
  const options = {
    model: "gpt-4o",
    response_format: { type: "json_schema", json_schema: { name: "labels", schema } },
  };
  const { bodies, vcon } = await run('{"labels": ["sales"]}', options);
  expect(bodies[0].response_format).toEqual({
    type: "json_schema",
    json_schema: { name: "labels", schema, strict: true },
  });
  expect(tags(vcon)).toEqual({ sales: ["sales"] });
  expect(await failure(run('{"labels": ["gossip"]}', options))).toMatchObject({ code: "VCON_SERVICE_ANSWER" });
});

test("JSON mode is asked for in words too, whatever the prompt", async () => {
  const { bodies } = await run('```json\n{"labels": ["a"]}\n```', {
    prompt: "Labels, please.",
    response_format: { type: "text" },
  });
  expect(bodies[0].response_format).toEqual({ type: "text" });
  expect(bodies[0].messages[0].content).toContain("JSON");
});
