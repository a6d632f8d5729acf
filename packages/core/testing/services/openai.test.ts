import { expect, test } from "vitest";
import { exampleOf } from "./openai/chat.ts";
import { fakeOpenAi, rateLimited, vectorOf } from "./openai.ts";
import { fetchFrom } from "./service.ts";

const V1 = "https://api.openai.com/v1";
const AZURE = "https://res.openai.azure.com/openai";

/** One request as a client sends it. */
async function ask(service: ReturnType<typeof fakeOpenAi>, url: string, body?: unknown, headers = {}) {
  const response = await fetchFrom(service.answer)(url, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: "Bearer sk-test", "api-key": "sk-test", ...headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

const messages = [
  { role: "system", content: "Answer in JSON." },
  { role: "user", content: "hello" },
];

test.each([
  ["OpenAI", `${V1}/chat/completions`, "gpt-4o"],
  ["LiteLLM", "http://litellm:4000/chat/completions", "gpt-4o"],
  ["Azure", `${AZURE}/deployments/my%20one/chat/completions?api-version=2024-10-21`, "my one"],
])("a completion on the paths of %s", async (_, url, model) => {
  const service = fakeOpenAi({ chat: ({ text, system }) => `${system} ${text}` });
  const { status, body } = await ask(service, url, { model: "gpt-4o", messages });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    object: "chat.completion",
    model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Answer in JSON. hello", refusal: null },
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 },
  });
  expect(service.chats).toMatchObject([{ model, text: "hello" }]);
});

test("a refusal, a cut and any fault can be scripted", async () => {
  const replies = [{ refusal: "I can't." }, { content: '{"a', finish: "length" as const }, { fault: rateLimited(7) }];
  const service = fakeOpenAi({ chat: () => replies.shift() ?? "done" });
  const send = () => ask(service, `${V1}/chat/completions`, { model: "gpt-4o", messages });
  expect((await send()).body.choices[0].message).toMatchObject({ content: null, refusal: "I can't." });
  expect((await send()).body.choices[0]).toMatchObject({ finish_reason: "length", message: { content: '{"a' } });
  const limited = await send();
  expect(limited.headers.get("retry-after")).toBe("7");
  expect(limited).toMatchObject({ status: 429, body: { error: { code: "rate_limit_exceeded", type: "tokens" } } });
  expect((await send()).body.choices[0].message.content).toBe("done");
});

test.each([
  ["no messages", { messages: [] }, "messages"],
  ["no JSON in the messages", { messages: messages.slice(1), response_format: { type: "json_object" } }, "word 'json'"],
  [
    "a temperature a reasoning model does not take",
    { model: "gpt-5", temperature: 0 },
    "'temperature' does not support 0",
  ],
  ["an effort the model does not have", { model: "gpt-5.1", reasoning_effort: "minimal" }, "'none', 'low'"],
  ["an effort for a model that does not reason", { reasoning_effort: "low" }, "reasoning_effort"],
  ["max_tokens for a reasoning model", { model: "o3", max_tokens: 5 }, "max_completion_tokens"],
  [
    "an open object in a strict schema",
    {
      response_format: {
        type: "json_schema",
        json_schema: { name: "x", strict: true, schema: { type: "object", properties: {} } },
      },
    },
    "'additionalProperties' is required",
  ],
])("as the real one it refuses %s", async (_, members, message) => {
  const service = fakeOpenAi();
  const { status, body } = await ask(service, `${V1}/chat/completions`, { model: "gpt-4o", messages, ...members });
  expect(status).toBe(400);
  expect(body.error.message).toContain(message);
  expect(service.chats).toEqual([]);
});

test.each([
  ["a wrong key", `${V1}/chat/completions`, { authorization: "Bearer sk-wrong-key" }, 401, "invalid_api_key"],
  ["a key in Azure's header elsewhere", `${V1}/chat/completions`, { authorization: "" }, 401, null],
  ["a wrong key of Azure", `${AZURE}/deployments/d/chat/completions?api-version=1`, { "api-key": "x" }, 401, "401"],
  [
    "a deployment that is not there",
    `${AZURE}/deployments/d/chat/completions?api-version=1`,
    {},
    404,
    "DeploymentNotFound",
  ],
  ["Azure without a version", `${AZURE}/deployments/d/chat/completions`, {}, 404, "404"],
  ["a path that is not there", `${V1}/chat`, {}, 404, null],
  ["a model that is not there", `${V1}/chat/completions`, {}, 404, "model_not_found"],
])("%s", async (_, url, headers, status, code) => {
  const service = fakeOpenAi({ key: "sk-test", models: ["gpt-4o"] });
  const answer = await ask(service, url, { model: "gpt-9", messages }, headers);
  expect(answer).toMatchObject({ status, body: { error: { code } } });
});

test("a prompt that is too long, and one that is no JSON", async () => {
  const service = fakeOpenAi({ contextTokens: 3 });
  const long = await ask(service, `${V1}/chat/completions`, { model: "gpt-4o", messages });
  expect(long).toMatchObject({ status: 400, body: { error: { code: "context_length_exceeded" } } });
  expect((await ask(service, `${V1}/chat/completions`, "{")).status).toBe(400);
});

test("embeddings have the asked dimensions, as numbers or as base64, and are the same every time", async () => {
  const service = fakeOpenAi();
  const send = (members: object) =>
    ask(service, `${V1}/embeddings`, { model: "text-embedding-3-small", input: ["one", "two"], ...members });
  const usual = (await send({})).body;
  expect(usual.data).toMatchObject([
    { object: "embedding", index: 0 },
    { object: "embedding", index: 1 },
  ]);
  expect(usual.data[0].embedding).toHaveLength(1536);
  expect((await send({})).body.data).toEqual(usual.data);
  const { body } = await send({ dimensions: 8, encoding_format: "base64" });
  const bytes = Buffer.from(body.data[0].embedding, "base64");
  expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual([...vectorOf("one", 8)]);
  expect((await send({ input: "" })).status).toBe(400);
  expect((await send({ dimensions: 2000 })).status).toBe(400);
});

test("texts with words in common are nearer to each other", () => {
  const nearness = (one: string, other: string) => {
    const [a, b] = [vectorOf(one, 256), vectorOf(other, 256)];
    return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  };
  expect(nearness("my invoice is wrong", "the invoice is wrong")).toBeGreaterThan(
    nearness("my invoice is wrong", "hello from Paris"),
  );
  expect(nearness("same", "same")).toBeCloseTo(1);
  expect(nearness("!!!", "!!!")).toBeCloseTo(1);
});

test("without a script the answer is of the wanted form", async () => {
  const service = fakeOpenAi();
  const schema = {
    type: "object",
    properties: { mood: { enum: ["good", "bad"] }, points: { type: "array", items: { type: "integer" } } },
    required: ["mood", "points"],
    additionalProperties: false,
  };
  const format = { type: "json_schema", json_schema: { name: "mood", strict: true, schema } };
  const { body } = await ask(service, `${V1}/chat/completions`, { model: "gpt-4o", messages, response_format: format });
  expect(JSON.parse(body.choices[0].message.content)).toEqual({ mood: "good", points: [1] });
  expect(exampleOf({ anyOf: [{ type: "null" }] })).toBeNull();
  expect(exampleOf(true)).toBeNull();
});

test("the models are listed", async () => {
  const { body } = await ask(fakeOpenAi({ models: ["a", "b"] }), `${V1}/models`);
  expect(body).toMatchObject({ object: "list", data: [{ id: "a", object: "model" }, { id: "b" }] });
});
