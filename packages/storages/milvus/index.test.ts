import type { StorageHandle } from "@vcon-server/core";
import { fetchFrom, openStorage, sampleVcon, stored, testStorage } from "@vcon-server/core/testing";
import { serve } from "@vcon-server/core/testing/services";
import { vectorOf } from "@vcon-server/core/testing/services/openai";
import type { Vcon } from "@vcon-server/vcon";
import { MilvusClient } from "@zilliz/milvus2-sdk-node";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import milvus from "./index.ts";
import { fieldsOf } from "./schema.ts";
import { call, DIM, expectedRow, KEY, remembering, type Stage, setStage } from "./stage.ts";

let stage: Stage;
let storage: StorageHandle;
let memory: ReturnType<typeof remembering>;
/** The official client, to do what others do to the collections. */
let client: MilvusClient;
beforeAll(async () => {
  stage = await setStage({ databases: ["archive"] });
  storage = await stage.open();
  memory = remembering(storage, stage.server);
  client = new MilvusClient({ address: stage.server.address, logLevel: "error", __SKIP_CONNECT__: true });
});
afterAll(async () => {
  await client.closeConnection();
  await stage.stop();
});

testStorage("milvus", () => ({ ...memory.handle, close: () => undefined }), {
  look: (uuid) => memory.look(uuid),
  unreachable: () => stage.open({ port: 1 }),
});

let [calls, embeddings] = [0, 0];
beforeEach(() => {
  [calls, embeddings] = [stage.server.calls.length, stage.ai.embeddings.length];
});

/** Of this test alone. */
const called = (...methods: readonly string[]): number[] =>
  methods.map((method) => stage.server.calls.slice(calls).filter((one) => one.method === method).length);
const embedded = () => stage.ai.embeddings.slice(embeddings);

const lengthOf = (vector: unknown): number => (Array.isArray(vector) ? Math.hypot(...vector) : Number.NaN);
const many = (count: number): Vcon[] =>
  Array.from({ length: count }, (_, at) => sampleVcon({ parties: [{ name: `Caller ${at}` }] }));

test("a collection that is missing is made with the fields and the index of the Python server", async () => {
  const other = await stage.open({ collection_name: "made", index_type: "HNSW", metric_type: "COSINE" });
  await other.check?.(call);
  expect(stage.server.describe("made")).toEqual({
    fields: [
      "id Int64",
      "vcon_uuid VarChar(100)",
      "party_id VarChar(100)",
      "text VarChar(65535)",
      `embedding FloatVector(${DIM})`,
      "created_at VarChar(30)",
      "updated_at VarChar(30)",
      "subject VarChar(255)",
      "metadata_title VarChar(255)",
      "has_transcript Bool",
      "has_summary Bool",
      "party_count Int16",
      "embedding_model VarChar(50)",
      "embedding_version VarChar(20)",
    ],
    index: { index_type: "HNSW", metric_type: "COSINE", params: '{"M":16,"efConstruction":200}' },
  });
});

test("a row holds the text, its vector and what the vCon says of itself", async () => {
  const vcon = sampleVcon({ subject: "Order 7", updated_at: "2026-02-03T04:05:06Z" });
  await storage.save(stored(vcon), call);
  const text = "Party: Ann. Party: Bob. Subject: Order 7. hello";
  expect(stage.rows(vcon)).toEqual([
    {
      id: expect.stringMatching(/^\d+$/),
      vcon_uuid: vcon.uuid,
      party_id: "tel:+12025550123",
      text,
      embedding: [...vectorOf(text, DIM)],
      created_at: "2026-01-02T03:04:05Z",
      updated_at: "2026-02-03T04:05:06Z",
      subject: "Order 7",
      metadata_title: "",
      has_transcript: false,
      has_summary: false,
      party_count: 2,
      embedding_model: "text-embedding-3-small",
      embedding_version: "1.0",
    },
  ]);
});

test("a search by meaning finds the vCon that says it", async () => {
  const about = (name: string) => sampleVcon({ parties: [{ name }], dialog: [] });
  const [parcel, invoice] = [about("parcel lost broken"), about("invoice paid twice")];
  const options = { collection_name: "searched", embedding_dim: 1536, metric_type: "COSINE", index_type: "FLAT" };
  const other = await stage.open(options);
  await other.saveMany?.([stored(parcel), stored(invoice)], call);
  await client.flush({ collection_names: ["searched"] });
  const asked = [...vectorOf("where is my lost parcel", 1536)];
  const found = await client.search({
    collection_name: "searched",
    data: asked,
    output_fields: ["vcon_uuid"],
    limit: 1,
  });
  expect(found.results.map(({ vcon_uuid }) => vcon_uuid)).toEqual([parcel.uuid]);
});

test("saving a new revision leaves one row, the new one", async () => {
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  await storage.save(stored({ ...vcon, dialog: [] }, 2), call);
  expect(stage.rows(vcon).map(({ text }) => text)).toEqual(["Party: Ann. Party: Bob."]);
});

test("a text that is there already is not embedded again; the row follows the vCon all the same", async () => {
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  const [before] = stage.rows(vcon);
  await storage.save(stored(vcon, 2), call);
  expect(stage.rows(vcon)).toEqual([before]);
  await storage.save(stored({ ...vcon, updated_at: "2026-05-06T07:08:09Z" }, 3), call);
  expect(stage.rows(vcon)).toMatchObject([{ embedding: before?.["embedding"], updated_at: "2026-05-06T07:08:09Z" }]);
  expect([embedded().length, ...called("Insert", "Delete")]).toEqual([1, 2, 1]);
});

test("skip_if_exists: false embeds every time, and still leaves one row", async () => {
  const eager = await stage.open({ skip_if_exists: false });
  const vcon = sampleVcon();
  await eager.save(stored(vcon), call);
  await eager.save(stored(vcon), call);
  expect([embedded().length, stage.rows(vcon).length]).toEqual([2, 1]);
});

test("another model embeds again, in the length that was asked for", async () => {
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  const large = await stage.open({ embedding_model: "text-embedding-3-large" });
  await large.save(stored(vcon), call);
  expect(stage.rows(vcon).map(({ embedding_model }) => embedding_model)).toEqual(["text-embedding-3-large"]);
  expect(embedded().map(({ model, dimensions }) => [model, dimensions])).toEqual([
    ["text-embedding-3-small", DIM],
    ["text-embedding-3-large", DIM],
  ]);
});

test("rows of the Python server, doubled and with vectors of zeros, become one that can be found", async () => {
  await storage.check?.(call);
  const vcon = sampleVcon();
  const old = { ...expectedRow(vcon), embedding: Array(DIM).fill(0), created_at: "", updated_at: "" };
  await client.insert({ collection_name: "vcons", data: [{ ...old }, { ...old }] });
  await storage.save(stored(vcon), call);
  const embedding = [...vectorOf(embedded()[0]?.texts[0] ?? "", DIM)];
  expect(stage.rows(vcon)).toMatchObject([{ embedding, created_at: vcon.created_at }]);
});

test("an existing collection is used as it is: with shorter columns, without some, with an index of its own", async () => {
  const collection_name = "existing";
  const fields = fieldsOf(DIM).filter(({ name }) => !["metadata_title", "party_count"].includes(name));
  const shorter = fields.map((field) => (field.name === "text" ? { ...field, max_length: 12 } : field));
  await client.createCollection({ collection_name, fields: shorter });
  await client.createIndex({ collection_name, field_name: "embedding", index_type: "FLAT", metric_type: "L2" });
  const strict = await stage.open({ collection_name, create_collection_if_missing: false });
  await strict.save(stored(sampleVcon({ parties: [{ name: "Jürgen" }] })), call);
  expect(stage.server.rows(collection_name)).toMatchObject([{ text: "Party: Jürg" }]);
  expect(stage.server.describe(collection_name)?.index).toMatchObject({ index_type: "FLAT" });
});

test("many vCons take one request, one insert and one delete", async () => {
  const vcons = many(20);
  await storage.saveMany?.(
    vcons.map((vcon) => stored(vcon)),
    call,
  );
  await storage.saveMany?.(
    vcons.map((vcon) => stored({ ...vcon, subject: "changed" }, 2)),
    call,
  );
  expect(stage.rows(...vcons).map(({ vcon_uuid }) => vcon_uuid)).toEqual(vcons.map(({ uuid }) => uuid));
  expect([embedded().length, ...called("Insert", "Delete")]).toEqual([2, 2, 1]);
});

test("hundreds at a time are bounded requests, each text once", async () => {
  const vcons = [...many(70), ...many(70)];
  await storage.saveMany?.(
    vcons.map((vcon) => stored(vcon)),
    call,
  );
  expect(stage.rows(...vcons)).toHaveLength(140);
  expect(Math.max(...embedded().map(({ texts }) => texts.length))).toBeLessThanOrEqual(32);
  expect(called("Insert")).toEqual([3]);
});

test("a uuid that occurs twice in a batch counts in its newest revision", async () => {
  const vcon = sampleVcon();
  await storage.saveMany?.([stored({ ...vcon, subject: "new" }, 5), stored({ ...vcon, subject: "old" }, 4)], call);
  expect(stage.rows(vcon).map(({ subject }) => subject)).toEqual(["new"]);
});

test("a text longer than the model takes is embedded in parts, as one row", async () => {
  const vcon = sampleVcon({ dialog: [{ type: "text", body: "many words that say much ".repeat(2_000) }] });
  await storage.save(stored(vcon), call);
  const parts = embedded().flatMap(({ texts }) => texts);
  expect(parts.every((part) => Buffer.byteLength(part) <= 8_000)).toBe(true);
  const [row] = stage.rows(vcon);
  expect(parts.join("")).toBe(row?.["text"]);
  expect(lengthOf(row?.["embedding"])).toBeCloseTo(1, 5);
});

test("a vCon without text has no row, and loses the one it had", async () => {
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  await storage.save(stored({ uuid: vcon.uuid, parties: [{ tel: "+1" }] }, 2), call);
  expect(stage.rows(vcon)).toEqual([]);
  expect(embedded()).toHaveLength(1);
});

test("deleting takes every row of the vCon and no other", async () => {
  const [one, other] = [sampleVcon(), sampleVcon()];
  await storage.saveMany?.([stored(one), stored(other)], call);
  await storage.delete?.(one.uuid, call);
  await storage.delete?.(one.uuid, call);
  expect(stage.rows(one, other).map(({ vcon_uuid }) => vcon_uuid)).toEqual([other.uuid]);
});

test("check loads a collection that was released, and asks nothing of the service for vectors", async () => {
  await storage.check?.(call);
  await client.releaseCollection({ collection_name: "vcons" });
  await storage.check?.(call);
  expect((await client.getLoadState({ collection_name: "vcons" })).state).toBe("LoadStateLoaded");
  expect(embedded()).toEqual([]);
});

test("a database is chosen by db_name, and the service by OPENAI_BASE_URL over a real port", async () => {
  const served = await serve(stage.ai.answer);
  const vcon = sampleVcon();
  const own = await openStorage(
    milvus,
    {
      uri: `http://${stage.server.address}`,
      db_name: "archive",
      OPENAI_BASE_URL: `${served.url}/v1`,
      OPENAI_API_KEY: KEY,
      embedding_dim: DIM,
      create_collection_if_missing: true,
    },
    { fetch: globalThis.fetch },
  );
  await own.save(stored(vcon), call);
  await own.close?.();
  await served.close();
  expect([stage.server.rows("vcons", "archive").length, stage.rows(vcon).length]).toEqual([1, 0]);
});

test("a storage that is closed leaves no connection behind, and opening one asks nothing of anybody", async () => {
  const other = await setStage();
  const own = await openStorage(
    milvus,
    {
      host: "127.0.0.1",
      port: String(other.server.port),
      api_key: KEY,
      embedding_dim: DIM,
      create_collection_if_missing: true,
    },
    { fetch: fetchFrom(other.ai.answer) },
  );
  expect([other.server.connections, other.ai.requests.length]).toEqual([0, 0]);
  await own.save(stored(sampleVcon()), call);
  expect(other.server.connections).toBe(1);
  await own.close?.();
  await expect.poll(() => other.server.connections).toBe(0);
  await other.stop();
});
