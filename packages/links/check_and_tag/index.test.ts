import { fetchFrom, type LinkRun, manualClock, testLink } from "@vcon-server/core/testing";
import { fakeOpenAi } from "@vcon-server/core/testing/services/openai";
import { tagsOf, type Vcon } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { CANARY, calls, testAsking } from "../_shared/llm/testing/suite.ts";
import link from "./index.ts";

const question = { tag_name: "mood", tag_value: "angry", evaluation_question: "Is somebody angry?" };

testAsking({
  link,
  options: question,
  reply: '{"applies": true}',
  unfit: [
    "confidential",
    '{"applies": "false"}',
    '{"applies": "true"}',
    '{"applies": 1}',
    '{"applies": null}',
    '{"confidential": true}',
    "true",
    "[true]",
  ],
  type: "tag_evaluation",
});

async function run(reply: string, options: object = {}, given: Partial<LinkRun> = {}) {
  const service = fakeOpenAi({ chat: () => reply });
  const outcome = await testLink(link, {
    vcon: calls("hello"),
    options: { OPENAI_API_KEY: CANARY, ...question, ...options },
    fetch: fetchFrom(service.answer),
    clock: manualClock(),
    ...given,
  });
  return { vcon: outcome.vcon ?? calls(), bodies: service.requests.map(({ text }) => JSON.parse(text)) };
}

const tags = (vcon: Vcon) => Object.fromEntries(tagsOf(vcon));

test("asks and writes as the Python server does", async () => {
  const { vcon, bodies } = await run('{"applies": true, "why": "They shout."}');
  expect(bodies).toMatchObject([
    { model: "gpt-5", response_format: { type: "json_object" }, verbosity: "low", reasoning_effort: "minimal" },
  ]);
  expect(bodies[0]).not.toHaveProperty("temperature");
  expect(bodies[0].messages[1].content).toMatch(/Is somebody angry\?[\s\S]*hello$/);
  expect(vcon.analysis?.[1]).toMatchObject({
    type: "tag_evaluation",
    dialog: 0,
    vendor: "openai",
    body: '{"link_name":"check_and_tag","tag":"mood:angry","applies":true}',
    encoding: "json",
    vendor_schema: { model: "gpt-5", evaluation_question: question.evaluation_question },
  });
  expect(tags(vcon)).toEqual({ mood: ["angry"] });
});

test("where it does not apply, that is noted and nothing is tagged", async () => {
  const { vcon } = await run('{"applies": false}');
  expect(JSON.parse(String(vcon.analysis?.[1]?.body))).toMatchObject({ applies: false });
  expect(vcon.attachments).toBeUndefined();
});

test.each(["text" as const, "value" as const])(
  "several questions with the same type do not hide each other (JSON as %s)",
  async (jsonBodies) => {
    const first = await run('{"applies": true}', {}, { jsonBodies });
    const second = await run('{"applies": true}', { tag_value: "loud" }, { vcon: first.vcon, jsonBodies });
    const third = await run('{"applies": true}', { tag_value: "loud" }, { vcon: second.vcon, jsonBodies });
    expect([first, second, third].map(({ bodies }) => bodies.length)).toEqual([1, 1, 0]);
    expect(tags(third.vcon)).toEqual({ mood: ["angry", "loud"] });
  },
);

test.each([
  [{ model: "gpt-5.1" }, { reasoning_effort: "none", verbosity: "low" }],
  [{ model: "o3" }, { reasoning_effort: "low" }],
  [{ model: "gpt-4o-mini" }, {}],
  [{ model: "gpt-4o-mini", temperature: 0 }, { temperature: 0 }],
  [{ minimal_reasoning: false }, { verbosity: "low" }],
  [
    { reasoning_effort: "high", verbosity: "medium" },
    { reasoning_effort: "high", verbosity: "medium" },
  ],
  [{ model: "our-deployment", reasoning_effort: "low" }, { reasoning_effort: "low" }],
])("of %o it sends %o", async (options, expected) => {
  const bodies: unknown[] = [];
  const fetch = fetchFrom(({ text }) => {
    const { messages: _messages, model: _model, response_format: _format, ...parameters } = JSON.parse(text);
    bodies.push(parameters);
    return Response.json({ choices: [{ message: { content: '{"applies": false}' }, finish_reason: "stop" }] });
  });
  await run("", options, { fetch });
  expect(bodies).toEqual([expected]);
});

test.each([
  [{ tag_name: "a:b" }, "colon"],
  [{ tag_name: undefined }, "tag_name"],
  [{ tag_value: undefined }, "tag_value"],
  [{ evaluation_question: "" }, "evaluation_question"],
  [{ verbosity: "lowest" }, "verbosity"],
])("the options %o are refused", (options, message) => {
  expect(() => link.options.parse({ OPENAI_API_KEY: CANARY, ...question, ...options })).toThrow(message);
});
