import { openNetwork } from "@vcon-server/core/network";
import { fetchFrom, type LinkRun, manualClock, sampleVcon, serve, testLink } from "@vcon-server/core/testing";
import { fakeOpenAi, type OpenAiScript } from "@vcon-server/core/testing/services/openai";
import { withAnalysis } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { CANARY, calls, failure, testAsking } from "../_shared/llm/testing/suite.ts";
import analyze from "./index.ts";

const moodSchema = {
  title: "Mood of a call",
  $id: "https://example.com/mood.json",
  type: "object",
  properties: { mood: { enum: ["good", "bad"] } },
  required: ["mood"],
  additionalProperties: false,
};

testAsking({ link: analyze, reply: "They talk.", unfit: [" "], type: "summary" });

testAsking({
  link: analyze,
  options: { json_schema: moodSchema, analysis_type: "mood" },
  reply: '{"mood": "good"}',
  unfit: ["The mood is confidential.", '{"mood": "confidential"}', "[]", '{"mood": "good", "confidential": 1}'],
  type: "mood",
});

/** One run with a model that answers as the script says. */
async function run(script: OpenAiScript, options: object, given: Partial<LinkRun> = {}) {
  const service = fakeOpenAi(script);
  const outcome = await testLink(analyze, {
    vcon: calls("hello"),
    options: { OPENAI_API_KEY: CANARY, ...options },
    fetch: fetchFrom(service.answer),
    clock: manualClock(),
    ...given,
  });
  return { vcon: outcome.vcon, bodies: service.requests.map(({ text }) => JSON.parse(text)), service };
}

test("asks and writes as the Python server does", async () => {
  const options = { prompt: "Summarise.", system_prompt: "Be brief." };
  const { vcon, bodies } = await run(
    { chat: () => ({ content: "They greet.", usage: { prompt: 3, completion: 2 } }) },
    options,
  );
  expect(bodies).toEqual([
    {
      model: "gpt-3.5-turbo-16k",
      temperature: 0,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Summarise.\n\nhello" },
      ],
    },
  ]);
  expect(vcon?.analysis?.slice(1)).toEqual([
    {
      type: "summary",
      dialog: 0,
      vendor: "openai",
      product: "gpt-3.5-turbo-16k",
      body: "They greet.",
      encoding: "none",
      vendor_schema: { model: "gpt-3.5-turbo-16k", prompt: "Summarise.", usage: { input_tokens: 3, output_tokens: 2 } },
    },
  ]);
});

test("without a prompt there is the text alone, and without a system prompt no system message", async () => {
  const { bodies } = await run({}, { system_prompt: "" });
  expect(bodies[0].messages).toEqual([{ role: "user", content: "hello" }]);
});

test.each([
  ["nothing to a reasoning model", { model: "gpt-5" }, {}],
  ["nothing to one behind a proxy", { model: "openai/o3" }, {}],
  ["what is given to any", { model: "gpt-5.4", temperature: 1 }, { temperature: 1 }],
  ["nothing where that is given", { model: "our-deployment", temperature: null }, {}],
  ["the usual to others", { model: "our-deployment" }, { temperature: 0 }],
  [
    "how much to think and to say",
    { model: "gpt-5", reasoning_effort: "low", verbosity: "high" },
    { reasoning_effort: "low", verbosity: "high" },
  ],
  ["how long to answer, to a reasoning model", { model: "o3", max_tokens: 50 }, { max_completion_tokens: 50 }],
  ["how long to answer, to others", { max_tokens: 50 }, { temperature: 0, max_tokens: 50 }],
])("of its parameters it sends %s", async (_, options, expected) => {
  const { bodies } = await run({}, options);
  const { messages: _messages, model: _model, ...parameters } = bodies[0];
  expect(parameters).toEqual(expected);
});

test("a parameter that the model does not take is an error that names it", async () => {
  const error = await failure(run({}, { model: "gpt-5", temperature: 0.5 }));
  expect(error).toMatchObject({ code: "VCON_SERVICE_REFUSED", details: { reason: "parameter" } });
  expect(error.message).toContain("(temperature)");
});

test.each([
  ["text" as const, '{"mood":"good"}'],
  ["value" as const, { mood: "good" }],
])("an answer by a schema is JSON, as %s where the chain wants it so", async (jsonBodies, body) => {
  const options = { json_schema: moodSchema, analysis_type: "mood", model: "gpt-4o" };
  const { vcon, bodies } = await run({ chat: () => '{ "mood": "good" }' }, options, { jsonBodies });
  expect(bodies[0].response_format).toEqual({
    type: "json_schema",
    json_schema: { name: "Mood_of_a_call", strict: true, schema: moodSchema },
  });
  expect(vcon?.analysis?.[1]).toMatchObject({ type: "mood", body, encoding: "json", schema: moodSchema.$id });
});

test("a schema that leaves something open is sent without a guarantee, and checked all the same", async () => {
  const { additionalProperties: _, ...open } = moodSchema;
  const { bodies } = await run({}, { json_schema: open });
  expect(bodies[0].response_format.json_schema.strict).toBe(false);
  expect(await failure(run({ chat: () => '{"mood": "so so"}' }, { json_schema: open }))).toMatchObject({
    code: "VCON_SERVICE_ANSWER",
  });
});

test("analyses of other types and dialogs do not count as made", async () => {
  const vcon = withAnalysis(calls("one", "two"), { type: "summary", dialog: 1, body: "made", encoding: "none" });
  const { vcon: after, bodies } = await run({}, {}, { vcon });
  expect(bodies).toHaveLength(1);
  expect(after?.analysis?.at(-1)).toMatchObject({ type: "summary", dialog: 0 });
});

test("messages are one conversation with one analysis, until there are more of them", async () => {
  const [message] = sampleVcon().dialog ?? [];
  const messages = (count: number) => (message ? Array.from({ length: count }, () => message) : []);
  const vcon = sampleVcon({ dialog: messages(3) });
  const once = await run({}, {}, { vcon });
  expect(once.vcon?.analysis).toMatchObject([{ dialog: [0, 1, 2] }]);
  expect(once.bodies).toHaveLength(1);
  const again = await run({}, {}, once.vcon ? { vcon: once.vcon } : {});
  expect(again.vcon).toBe(once.vcon);
  const longer = await run({}, {}, { vcon: { ...vcon, analysis: once.vcon?.analysis ?? [], dialog: messages(4) } });
  expect(longer.vcon?.analysis).toMatchObject([{ dialog: [0, 1, 2] }, { dialog: [0, 1, 2, 3] }]);
});

test("over a real port, on a private network, with a model of its own", async () => {
  const service = fakeOpenAi({
    chat: ({ text }) => `<think>hm</think>${text.length} characters`,
    models: ["llama3.2"],
  });
  const served = await serve(service.answer);
  const network = openNetwork([]);
  try {
    const { vcon } = await testLink(analyze, {
      vcon: calls("hello"),
      options: { OPENAI_BASE_URL: `${served.url}/v1`, model: "llama3.2" },
      fetch: network.fetchFor([`${served.url}/v1`]),
      clock: manualClock(),
    });
    expect(vcon?.analysis?.[1]).toMatchObject({ body: "5 characters", vendor: "meta", product: "llama3.2" });
    const refused = testLink(analyze, {
      vcon: calls("hello"),
      options: { OPENAI_BASE_URL: `${served.url}/v1` },
      fetch: network.fetchFor([]),
      clock: manualClock(),
    });
    expect(await failure(refused)).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
  } finally {
    await network.close();
    await served.close();
  }
});

test.each([
  [{ json_schema: { type: "array" } }, "must describe an object"],
  [{ json_schema: { type: "object", if: {} } }, "cannot be used to check answers"],
  [{ temperature: 3 }, "temperature"],
  [{ max_characters: 10 }, "max_characters"],
  [{ source: { location: "body" } }, "location"],
])("the options %o are refused", (options, message) => {
  expect(() => analyze.options.parse({ OPENAI_API_KEY: CANARY, ...options })).toThrow(message);
});
