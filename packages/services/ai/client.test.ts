import { VconError } from "@vcon-server/core";
import { openNetwork } from "@vcon-server/core/network";
import { fetchFrom, manualClock, type Service, serve } from "@vcon-server/core/testing";
import {
  azureRateLimited,
  badRequest,
  contextTooLong,
  fakeOpenAi,
  filteredPrompt,
  invalidKey,
  liteLlmBudgetUsedUp,
  liteLlmKeyRefused,
  quotaUsedUp,
  rateLimited,
  serverError,
  unknownModel,
} from "@vcon-server/core/testing/services/openai";
import * as openai from "openai";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { openAi } from "./client.ts";
import { type AiCredentials, aiCredentials } from "./credentials.ts";

const KEY = "canary0123456789";
const credentials = z.strictObject(aiCredentials);
const messages = [{ role: "user" as const, content: "hello" }];

const never = new AbortController().signal;
const open = (options: z.input<typeof credentials>, service: Service) =>
  openAi(credentials.parse(options) as AiCredentials, { openai, fetch: fetchFrom(service) });

const chat = (ai: ReturnType<typeof openAi>, model = "gpt-4o") =>
  ai.call("asking", { signal: never }, (client, signal) =>
    client.chat.completions.create({ model, messages }, { signal }),
  );

const failure = (running: Promise<unknown>): Promise<VconError> =>
  running.then(
    () => Promise.reject(new Error("nothing failed")),
    (error: unknown) => (error instanceof VconError ? error : Promise.reject(error)),
  );

afterEach(() => void vi.unstubAllEnvs());

test.each([
  ["openai", { OPENAI_API_KEY: KEY, organization: "org-1" }, "https://api.openai.com/v1/chat/completions"],
  ["openai", { OPENAI_BASE_URL: "http://localhost:11434/v1/" }, "http://localhost:11434/v1/chat/completions"],
  [
    "litellm",
    { LITELLM_PROXY_URL: "http://litellm:4000//", LITELLM_MASTER_KEY: KEY },
    "http://litellm:4000/chat/completions",
  ],
  [
    "azure",
    { AZURE_OPENAI_ENDPOINT: "https://res.openai.azure.com/", AZURE_OPENAI_API_KEY: KEY },
    "https://res.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
  ],
])("%s is reached where it is", async (provider, options, url) => {
  const service = fakeOpenAi({ chat: () => "hi" });
  const ai = open(options, service.answer);
  expect(ai.provider).toBe(provider);
  expect((await chat(ai)).choices[0]?.message.content).toBe("hi");
  expect(service.requests.map((request) => request.url.href)).toEqual([url]);
});

test("nothing is read from the environment", async () => {
  vi.stubEnv("OPENAI_BASE_URL", "https://elsewhere.example/v1");
  vi.stubEnv("OPENAI_ORG_ID", "org-environment");
  vi.stubEnv("OPENAI_PROJECT_ID", "proj-environment");
  vi.stubEnv("OPENAI_ADMIN_KEY", "sk-admin");
  const service = fakeOpenAi({ key: KEY });
  const options = [
    { OPENAI_API_KEY: KEY },
    { AZURE_OPENAI_ENDPOINT: "https://res.openai.azure.com", AZURE_OPENAI_API_KEY: KEY },
    { LITELLM_PROXY_URL: "http://litellm:4000", LITELLM_MASTER_KEY: KEY },
  ];
  for (const one of options) await chat(open(one, service.answer));
  expect(service.requests.map(({ url }) => url.hostname)).toEqual([
    "api.openai.com",
    "res.openai.azure.com",
    "litellm",
  ]);
  expect(JSON.stringify(service.requests.map(({ headers }) => [...headers]))).not.toMatch(/environment|sk-admin/);
});

test.each([
  ["a wrong key", invalidKey(KEY), { code: "VCON_SERVICE_CREDENTIALS", retryable: false }],
  ["a wrong key of LiteLLM", liteLlmKeyRefused(KEY), { code: "VCON_SERVICE_CREDENTIALS", retryable: false }],
  ["a reached rate", rateLimited(7), { code: "VCON_SERVICE_QUOTA", retryable: true, retryAfterSecs: 7 }],
  ["a reached rate of Azure", azureRateLimited(9), { code: "VCON_SERVICE_QUOTA", retryAfterSecs: 9 }],
  ["a used-up account", quotaUsedUp(), { code: "VCON_SERVICE_QUOTA", retryable: true }],
  ["a used-up budget", liteLlmBudgetUsedUp(), { code: "VCON_SERVICE_QUOTA" }],
  ["a used-up budget said with 400", liteLlmBudgetUsedUp(400), { code: "VCON_SERVICE_QUOTA", retryable: true }],
  ["a failing server", serverError(503), { code: "VCON_SERVICE_DOWN", retryable: true }],
  ["a text that is too long", contextTooLong(), { code: "VCON_SERVICE_REFUSED", details: { reason: "too_long" } }],
  ["a filter", filteredPrompt(), { code: "VCON_SERVICE_REFUSED", details: { status: 400, reason: "content_filter" } }],
  ["an unknown model", unknownModel("gpt-9"), { code: "VCON_SERVICE_REFUSED", details: { reason: "no_model" } }],
  [
    "a parameter the model does not take",
    badRequest("Unsupported value", "temperature", "unsupported_value"),
    { code: "VCON_SERVICE_REFUSED", details: { reason: "parameter" } },
  ],
  ["a redirect", { status: 307, headers: { location: "https://x" } }, { code: "VCON_SERVICE_REFUSED" }],
  ["a page instead of an answer", { status: 502, body: "<html>bad gateway</html>" }, { code: "VCON_SERVICE_DOWN" }],
  [
    "a used-up limit under status 200",
    { status: 200, body: JSON.stringify({ error: { message: "Rate limit exceeded", code: 429 } }) },
    { code: "VCON_SERVICE_QUOTA" },
  ],
  [
    "an unknown model under status 200",
    {
      status: 200,
      body: JSON.stringify({ object: "error", message: "There is no model x.", type: "NotFoundError", code: 404 }),
    },
    { code: "VCON_SERVICE_REFUSED", message: expect.stringContaining("There is no model x.") },
  ],
  [
    "a sample that did not have the form",
    { status: 400, body: JSON.stringify({ error: { message: "no valid JSON", code: "json_validate_failed" } }) },
    { code: "VCON_SERVICE_ANSWER", retryable: true },
  ],
  [
    "no room for one more call",
    {
      status: 498,
      body: JSON.stringify({ error: { message: "Flex tier capacity exceeded", code: "capacity_exceeded" } }),
    },
    { code: "VCON_SERVICE_DOWN", retryable: true, message: expect.stringContaining("498") },
  ],
  [
    "a text that moderation refuses",
    {
      status: 403,
      body: JSON.stringify({ error: { message: "m requires moderation. Your input was flagged for x." } }),
    },
    { code: "VCON_SERVICE_REFUSED", details: { status: 403, reason: "content_filter" } },
  ],
  [
    "a refusal in words alone",
    { status: 403, body: JSON.stringify({ code: "denied", error: "Content violates usage guidelines." }) },
    { code: "VCON_SERVICE_REFUSED", details: { reason: "content_filter" } },
  ],
  [
    "rights that the key lacks",
    { status: 403, body: JSON.stringify({ error: { message: "no access" } }) },
    { code: "VCON_SERVICE_CREDENTIALS" },
  ],
  [
    "words at the top",
    { status: 404, body: JSON.stringify({ detail: "Not here" }) },
    { message: expect.stringContaining("Not here") },
  ],
  ["no JSON", { status: 200, body: "{nonsense" }, { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["an answer that breaks off", "cut" as const, { code: "VCON_SERVICE_DOWN", retryable: true }],
])("%s is a coded error without the key", async (_, fault, expected) => {
  const service = fakeOpenAi();
  service.fail(fault);
  const error = await failure(chat(open({ OPENAI_API_KEY: KEY }, service.answer)));
  expect(error).toMatchObject(expected);
  expect(error.message).toMatch(/^(asking|reading the answer)/);
  expect(`${error.message} ${error.cause} ${JSON.stringify(error.details)}`).not.toMatch(/canary|0{64}/);
  expect(service.requests).toHaveLength(1);
});

test("what to do about a parameter names it", async () => {
  const service = fakeOpenAi();
  const asking = open({ OPENAI_API_KEY: KEY }, service.answer).call("asking", { signal: never }, (client, signal) =>
    client.chat.completions.create({ model: "gpt-5", messages, temperature: 0 }, { signal }),
  );
  expect((await failure(asking)).message).toMatch(/change or leave out the option \(temperature\)$/);
});

test("an error that holds the key is told without it", async () => {
  const { call } = openAi(credentials.parse({ OPENAI_API_KEY: KEY }) as AiCredentials, {
    openai,
    fetch: async () => {
      throw new TypeError(`"Bearer ${KEY}" is an invalid header value`);
    },
  });
  const error = await failure(call("asking", { signal: never }, (client) => client.models.list()));
  expect(error.code).toBe("VCON_SERVICE_DOWN");
  expect(`${error.message} ${error.cause}`).not.toContain("canary");
});

test("what the network refuses stays refused", async () => {
  const refused = new VconError("VCON_ADDRESS_REFUSED", "private");
  const service: Service = () => Promise.reject(refused);
  expect(await failure(chat(open({ OPENAI_API_KEY: KEY }, service)))).toBe(refused);
});

test("a service that hangs is given up in time", async () => {
  const service = fakeOpenAi();
  service.fail("hang");
  const clock = manualClock();
  const ai = open({ OPENAI_API_KEY: KEY, timeout_secs: 5 }, service.answer);
  const asking = failure(ai.call("asking", { signal: never, clock }, (client) => client.models.list()));
  await expect.poll(() => service.requests.length).toBe(1);
  clock.advance(5_000);
  expect(await asking).toMatchObject({ code: "VCON_SERVICE_TIMEOUT", retryable: true });
});

test("a run that ends takes its request with it, and its reason is the error", async () => {
  const service = fakeOpenAi();
  service.fail("hang");
  const controller = new AbortController();
  const ai = open({ OPENAI_API_KEY: KEY }, service.answer);
  const asking = ai.call("asking", { signal: controller.signal }, (client, signal) => client.models.list({ signal }));
  await expect.poll(() => service.requests.length).toBe(1);
  controller.abort(new Error("shutting down"));
  await expect(asking).rejects.toThrow("shutting down");
});

test("an endless answer is cut off", async () => {
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(2 ** 20).fill(32)),
  });
  const error = await failure(chat(open({ OPENAI_API_KEY: KEY }, () => new Response(endless))));
  expect(error).toMatchObject({ code: "VCON_SERVICE_ANSWER", retryable: false });
});

test("over a real port embeddings arrive as numbers, and the key follows no redirect", async () => {
  const service = fakeOpenAi();
  const served = await serve((request) =>
    request.url.pathname === "/old/models"
      ? new Response(null, { status: 307, headers: { location: "/v1/models" } })
      : service.answer(request),
  );
  const network = openNetwork([]);
  try {
    const at = (path: string) =>
      openAi(credentials.parse({ OPENAI_BASE_URL: `${served.url}${path}` }) as AiCredentials, {
        openai,
        fetch: network.fetchFor([served.url]),
      });
    const moved = await failure(at("/old").call("asking", { signal: never }, (client) => client.models.list()));
    expect(moved).toMatchObject({ code: "VCON_SERVICE_REFUSED", details: { status: 307 } });
    expect(service.requests).toEqual([]);
    const { data } = await at("/v1").call("embedding", { signal: never }, (client) =>
      client.embeddings.create({ model: "text-embedding-3-small", input: "hello", dimensions: 16 }),
    );
    expect(data[0]?.embedding).toHaveLength(16);
  } finally {
    await network.close();
    await served.close();
  }
});
