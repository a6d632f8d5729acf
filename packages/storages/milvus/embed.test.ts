import { causesOf, type StorageHandle } from "@vcon-server/core";
import { fetchFrom, openStorage, sampleVcon, stored } from "@vcon-server/core/testing";
import type { Fault } from "@vcon-server/core/testing/services";
import {
  badRequest,
  contextTooLong,
  filteredPrompt,
  invalidKey,
  quotaUsedUp,
  rateLimited,
  serverError,
  unknownModel,
} from "@vcon-server/core/testing/services/openai";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { groupsOf, isUsable, mean } from "./embed.ts";
import milvus from "./index.ts";
import { call, DIM, KEY, type Stage, setStage } from "./stage.ts";

let stage: Stage;
let storage: StorageHandle;
beforeAll(async () => {
  stage = await setStage();
  storage = await stage.open();
});
afterAll(() => stage.stop());

/** What a save comes to when the service for vectors does this once; the row of the revision before must stay. */
async function saved(fault: Fault, count = 1): Promise<unknown> {
  const vcons = Array.from({ length: count }, (_, at) => sampleVcon({ parties: [{ name: `Caller ${at}` }] }));
  await storage.saveMany?.(
    vcons.map((vcon) => stored(vcon)),
    call,
  );
  const before = stage.rows(...vcons);
  const changed = vcons.map((vcon) => stored({ ...vcon, dialog: [{ type: "text", body: "changed" }] }, 2));
  stage.ai.fail(fault);
  const saving = count === 1 ? storage.save(changed[0]!, call) : storage.saveMany?.(changed, call);
  const error: unknown = await saving?.then(
    () => "saved",
    (reason: unknown) => reason,
  );
  expect(stage.rows(...vcons)).toEqual(before);
  return error;
}

const vectors = (...data: readonly unknown[]): Fault => ({
  status: 200,
  body: JSON.stringify({ object: "list", data }),
});
const vector = (embedding: unknown, index = 0) => ({ object: "embedding", index, embedding });
const ONES = Array(DIM).fill(1);

test.each<[string, Fault, object]>([
  ["a rate limit", rateLimited(7), { code: "VCON_SERVICE_QUOTA", retryable: true, retryAfterSecs: 7 }],
  ["a used-up account", quotaUsedUp(), { code: "VCON_SERVICE_QUOTA", retryable: true }],
  ["an error of the service", serverError(503), { code: "VCON_SERVICE_DOWN", retryable: true }],
  ["a connection that breaks", "cut", { retryable: true }],
  [
    "a wrong key",
    invalidKey(KEY),
    { code: "VCON_STORAGE_DOWN", retryable: true, message: expect.stringContaining("check the key") },
  ],
  [
    "an unknown model",
    unknownModel("none"),
    { code: "VCON_STORAGE_DOWN", retryable: true, message: expect.stringContaining("model") },
  ],
  ["a request it finds fault with", badRequest("odd"), { code: "VCON_STORAGE_DOWN", retryable: true }],
  ["a redirect", { status: 302, headers: { location: "http://x" } }, { code: "VCON_STORAGE_DOWN", retryable: true }],
  ["an answer that is no JSON", { status: 200, body: "<html>" }, { retryable: true }],
  ["an answer of something else", { status: 200, body: "{}" }, { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["no vectors", vectors(), { code: "VCON_SERVICE_ANSWER", retryable: true }],
  [
    "two vectors for one text",
    vectors(vector(ONES), vector(ONES, 1)),
    { code: "VCON_SERVICE_ANSWER", retryable: true },
  ],
  ["a vector of a text nobody asked for", vectors(vector(ONES, 3)), { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["a vector of zeros", vectors(vector(Array(DIM).fill(0))), { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["a vector with null", vectors(vector([...ONES.slice(1), null])), { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["a vector with 1e39", vectors(vector([...ONES.slice(1), 1e39])), { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["a vector as base64", vectors(vector("AAAA")), { code: "VCON_SERVICE_ANSWER", retryable: true }],
  [
    "a vector of another length",
    vectors(vector([1, 2, 3])),
    { code: "VCON_STORAGE_DOWN", retryable: true, message: expect.stringMatching(/of 3 numbers, embedding_dim is 8/) },
  ],
  ["a text that is too long", contextTooLong(), { code: "VCON_STORAGE_REFUSED", retryable: false }],
  [
    "a text that is too long, said without a code",
    badRequest("This model's maximum context length is 8192 tokens, however you requested 9000 tokens."),
    { code: "VCON_STORAGE_REFUSED", retryable: false, message: expect.stringContaining("lower embedding_max_bytes") },
  ],
  [
    "inputs too long for a server of one's own",
    { status: 413, body: '{"error":{"message":"`inputs` must have less than 512 tokens. Given: 600"}}' },
    { code: "VCON_STORAGE_REFUSED" },
  ],
  ["a content filter", filteredPrompt(), { code: "VCON_STORAGE_REFUSED", retryable: false }],
])("%s is a failed save, and the old row stays", async (_, fault, expected) => {
  const error = await saved(fault);
  expect(error).toMatchObject(expected);
  expect([...causesOf(error), JSON.stringify(error)].join("\n")).not.toContain(KEY);
});

test.each([
  ["one text that is too long", contextTooLong()],
  ["one text it finds fault with", badRequest("odd")],
])("a batch with %s is refused as a whole, to be tried one by one", async (_, fault) => {
  expect(await saved(fault, 3)).toMatchObject({ retryable: false });
});

test("a batch that meets a wrong key waits for somebody to put it right", async () => {
  expect(await saved(invalidKey(), 3)).toMatchObject({ code: "VCON_STORAGE_DOWN", retryable: true });
});

test("a service that hangs is left when the call's time is over", async () => {
  const controller = new AbortController();
  stage.ai.fail("hang");
  const asked = stage.ai.requests.length;
  const saving = storage.save(stored(sampleVcon()), { signal: controller.signal });
  saving.catch(() => undefined);
  await expect.poll(() => stage.ai.requests.length).toBe(asked + 1);
  controller.abort(new Error("out of time"));
  await expect(saving).rejects.toThrow("out of time");
});

test("timeout_secs limits a request", async () => {
  const hasty = await stage.open({ timeout_secs: 0.02 });
  stage.ai.fail("hang");
  await expect(hasty.save(stored(sampleVcon()), call)).rejects.toMatchObject({
    code: "VCON_SERVICE_TIMEOUT",
    retryable: true,
  });
});

test("an address that plug-ins must not reach is an outage, since somebody can allow it", async () => {
  const { fetch } = await import("@vcon-server/core/network").then(({ openNetwork }) => ({
    fetch: openNetwork().fetchFor([]),
  }));
  const options = {
    host: "127.0.0.1",
    port: stage.server.port,
    embedding_dim: DIM,
    create_collection_if_missing: true,
  };
  const other = await openStorage(milvus, { ...options, OPENAI_BASE_URL: "http://127.0.0.1:8080/v1" }, { fetch });
  const failing = other.save(stored(sampleVcon()), call);
  await expect(failing).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN", retryable: true });
  await other.close?.();
});

test("vectors are taken by their index, in whatever order they come", async () => {
  const [one, two] = ["one", "two"].map((name) => sampleVcon({ parties: [{ name }], dialog: [] }));
  const basis = (at: number) => ONES.map((_, index) => (index === at ? 1 : 0));
  stage.ai.fail(vectors(vector(basis(1), 1), vector(basis(0), 0)));
  await storage.saveMany?.([stored(one!), stored(two!)], call);
  expect(stage.rows(one!, two!).map(({ embedding }) => embedding)).toEqual([basis(0), basis(1)]);
});

test("Azure is asked by the name of the deployment", async () => {
  const azure = { AZURE_OPENAI_ENDPOINT: "https://mine.openai.azure.com", AZURE_OPENAI_API_KEY: KEY };
  const options = {
    host: "127.0.0.1",
    port: stage.server.port,
    create_collection_if_missing: true,
    collection_name: "azure",
  };
  const other = await openStorage(
    milvus,
    { ...options, ...azure, embedding_model: "embedder" },
    { fetch: fetchFrom(stage.ai.answer) },
  );
  await other.save(stored(sampleVcon()), call);
  await other.close?.();
  expect(stage.ai.requests.at(-1)?.url.pathname).toBe("/openai/deployments/embedder/embeddings");
  expect(stage.ai.embeddings.at(-1)).not.toHaveProperty("dimensions");
});

const texts = fc.array(fc.string({ maxLength: 50 }), { maxLength: 100 });

test("groups hold every input in its order, and no more than a service takes", () => {
  fc.assert(
    fc.property(texts, fc.nat({ max: 5 }), (inputs, long) => {
      const all = [...inputs, ...Array(long).fill("x".repeat(200_000))];
      const groups = groupsOf(all);
      expect(groups.flat()).toEqual(all);
      for (const group of groups) {
        expect(group.length).toBeGreaterThan(0);
        expect(group.length).toBeLessThanOrEqual(32);
        if (group.length > 1) expect(Buffer.byteLength(group.join(""))).toBeLessThanOrEqual(256_000);
      }
    }),
  );
});

test("the mean of parts is as long as they are, and nearer to the longer part", () => {
  const [a, b] = [
    [2, 0],
    [0, 2],
  ];
  const found = mean(["long part", "s"], [a!, b!]);
  expect(Math.hypot(...found)).toBeCloseTo(2);
  expect(found[0]).toBeGreaterThan(found[1] ?? 0);
  expect(mean(["one"], [a!])).toEqual(a);
  expect(
    mean(
      ["one", "two"],
      [
        [1, 0],
        [-1, 0],
      ],
    ),
  ).toEqual([1, 0]);
});

test("a vector is usable when something can be near it", () => {
  expect(isUsable([0, 0.1], 2)).toBe(true);
  for (const vector of [[0, 0], [1], [1, Number.NaN], [1, 1e39], [1e-60, 0]]) expect(isUsable(vector, 2)).toBe(false);
});
