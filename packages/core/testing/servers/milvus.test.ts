import { MilvusClient } from "@zilliz/milvus2-sdk-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MilvusServer, startMilvus } from "./milvus.ts";

/** The official client as everybody uses it: the server must need nothing special. */
const connect = (address: string, more: object = {}): MilvusClient =>
  new MilvusClient({ address, logLevel: "error", maxRetries: 0, ...more });

let server: MilvusServer;
let client: MilvusClient;
beforeAll(async () => {
  server = await startMilvus();
  client = connect(server.address);
});
afterAll(async () => {
  await client.closeConnection();
  await server.stop();
});

const STRONG = 0;
const FIELDS = [
  { name: "id", data_type: "Int64", is_primary_key: true, autoID: true },
  { name: "word", data_type: "VarChar", max_length: 5 },
  { name: "small", data_type: "Int16" },
  { name: "flag", data_type: "Bool" },
  { name: "note", data_type: "VarChar", max_length: 10, nullable: true },
  { name: "place", data_type: "FloatVector", dim: 3 },
] as const;
const row = (word: string, place: readonly number[], more: object = {}) => ({
  word,
  small: word.length,
  flag: true,
  note: null,
  place: [...place],
  ...more,
});

/** A collection that is indexed and loaded. */
async function made(collection_name: string, metric_type = "L2"): Promise<string> {
  await client.createCollection({ collection_name, fields: FIELDS.map((field) => ({ ...field })) });
  await client.createIndex({ collection_name, field_name: "place", index_type: "FLAT", metric_type });
  await client.loadCollectionAsync({ collection_name });
  return collection_name;
}

test("greets, says its version and that it is well", async () => {
  await client.connectPromise;
  expect((await client.getVersion()).version).toMatch(/^v2\./);
  expect((await client.checkHealth()).isHealthy).toBe(true);
  expect((await client.listDatabases()).db_names).toEqual(["default"]);
});

test("keeps rows as they were inserted, with ids that grow", async () => {
  const collection_name = await made("kept");
  const data = [row("ab", [1, 2, 3], { note: "über" }), row("", [0.5, 0, -1], { flag: false })];
  const { IDs, insert_cnt } = await client.insert({ collection_name, data });
  expect(insert_cnt).toBe("2");
  const { data: found } = await client.query({
    collection_name,
    filter: "small >= 0",
    output_fields: ["*"],
    consistency_level: STRONG,
  });
  const ids = "int_id" in IDs ? IDs.int_id.data.map(String) : [];
  expect(found).toEqual(data.map((one, at) => ({ id: ids[at], ...one })));
  expect(server.rows(collection_name)).toEqual(found);
  expect(BigInt(ids[1] ?? 0) > BigInt(ids[0] ?? 0)).toBe(true);
});

test("only strong reads see what is younger than the last flush", async () => {
  const collection_name = await made("young");
  await client.insert({ collection_name, data: [row("a", [1, 1, 1])] });
  const count = async (consistency_level: number) =>
    (await client.query({ collection_name, filter: 'word == "a"', consistency_level })).data.length;
  expect([await count(STRONG), await count(2), await count(3)]).toEqual([1, 0, 0]);
  await client.flush({ collection_names: [collection_name] });
  expect(await count(2)).toBe(1);
});

test.each([
  ['word == "a"', ["a"]],
  ["word in ['a', \"b\"]", ["a", "b"]],
  ["word not in ['a', 'b']", ["cc"]],
  ["not (word == 'a') and small < 2", ["b"]],
  ["small == 2 || word == 'a'", ["a", "cc"]],
  ['word == "\\""', []],
])("the filter %s finds %j", async (filter, words) => {
  const collection_name = "filtered";
  if (!server.describe(collection_name)) {
    await made(collection_name);
    await client.insert({ collection_name, data: ["a", "b", "cc"].map((word) => row(word, [1, 1, 1])) });
  }
  const { data } = await client.query({ collection_name, filter, output_fields: ["word"], consistency_level: STRONG });
  expect(data.map(({ word }) => word)).toEqual(words);
});

test.each(["word = 'a'", "word == ", "nothing == 1", "word in ['a'", "word == 'a' word"])(
  "the filter %s is refused",
  async (filter) => {
    const collection_name = server.describe("refusing") ? "refusing" : await made("refusing");
    expect((await client.query({ collection_name, filter })).status.code).toBe(1100);
  },
);

test.each([
  ["L2", ["near", "far"]],
  ["IP", ["far", "near"]],
  ["COSINE", ["near", "far"]],
])("searching by %s finds the nearest first", async (metric, words) => {
  const collection_name = await made(`searched_${metric}`, metric);
  await client.insert({ collection_name, data: [row("far", [9, 9, 0]), row("near", [1, 0.1, 0])] });
  await client.flush({ collection_names: [collection_name] });
  const { results } = await client.search({ collection_name, data: [1, 0, 0], output_fields: ["word"], limit: 2 });
  expect(results.map(({ word }) => word)).toEqual(words);
});

test("deleting by key works on any collection, by other fields on a loaded one", async () => {
  const collection_name = await made("deleted");
  await client.insert({ collection_name, data: ["a", "b", "c"].map((word) => row(word, [1, 1, 1])) });
  const [first] = server.rows(collection_name);
  await client.releaseCollection({ collection_name });
  const byWord = { collection_name, filter: 'word == "b"' };
  expect((await client.deleteEntities(byWord)).status.code).toBe(101);
  expect((await client.deleteEntities({ collection_name, filter: `id in [${first?.["id"]}]` })).delete_cnt).toBe("1");
  await client.loadCollection({ collection_name });
  expect((await client.deleteEntities(byWord)).delete_cnt).toBe("1");
  expect(server.rows(collection_name).map(({ word }) => word)).toEqual(["c"]);
});

test.each([
  [{ word: "éééé" }, "length of varchar field word exceeds max length, row number: 0, length: 8, max length: 5"],
  [{ place: [1, 2] }, "should divide the dim(3)"],
  [{ place: [1, 2, Number.NaN] }, "is not a number or infinity"],
  [{ small: 40_000 }, "out of range"],
])("a row with %j is refused with 1100, and nothing is kept", async (wrong, reason) => {
  const collection_name = server.describe("strict") ? "strict" : await made("strict");
  const { status } = await client.insert({ collection_name, data: [row("ok", [1, 2, 3], wrong)] });
  expect(status).toMatchObject({ code: 1100, error_code: "IllegalArgument", retriable: false });
  expect(status.reason).toContain(reason);
  expect(server.rows(collection_name)).toEqual([]);
});

test("what is missing has the codes of the documentation", async () => {
  const none = { collection_name: "none" };
  expect((await client.describeCollection(none)).status).toMatchObject({
    code: 100,
    error_code: "CollectionNotExists",
  });
  const other = connect(server.address, { database: "none", __SKIP_CONNECT__: true });
  expect((await other.describeCollection(none)).status.code).toBe(800);
  await client.createCollection({ collection_name: "bare", fields: FIELDS.map((field) => ({ ...field })) });
  const bare = { collection_name: "bare" };
  expect((await client.describeIndex(bare)).status).toMatchObject({ code: 700, error_code: "IndexNotExist" });
  expect((await client.query({ ...bare, filter: "small == 1" })).status.code).toBe(101);
  await expect(client.loadCollection(bare)).rejects.toThrow("no vector index");
  await other.closeConnection();
});

test("a client that knows an old schema looks again", async () => {
  const collection_name = await made("changed");
  await client.insert({ collection_name, data: [row("a", [1, 1, 1])] });
  await client.dropCollection({ collection_name });
  await made(collection_name);
  expect((await client.insert({ collection_name, data: [row("b", [1, 1, 1])] })).insert_cnt).toBe("1");
});

test("lets in who has a password or a token, and says to others what Milvus says", async () => {
  const closed = await startMilvus({ users: { root: "right" }, tokens: ["key"], repeatsPasswords: true });
  const ask = async (more: object) => {
    const one = connect(closed.address, { __SKIP_CONNECT__: true, ...more });
    const version = await one.getVersion().catch((error: unknown) => error);
    await one.closeConnection();
    return version;
  };
  for (const fine of [{ username: "root", password: "right" }, { token: "root:right" }, { token: "key" }])
    expect(await ask(fine)).toMatchObject({ status: { code: 0 } });
  expect(String(await ask({ username: "root", password: "wr0ng" }))).toMatch(/16 UNAUTHENTICATED.*wr0ng/);
  expect(String(await ask({ token: "other" }))).toContain("check api key is correct");
  expect(String(await ask({}))).toContain("missing authorization");
  await closed.stop();
});

test("calls go wrong as they are told to", async () => {
  const own = await startMilvus();
  const one = connect(own.address, { __SKIP_CONNECT__: true });
  own.fail("GetVersion", { status: { code: 8, reason: "rate limit exceeded" } });
  expect(await one.getVersion()).toMatchObject({ status: { code: 8, error_code: "RateLimit", retriable: true } });
  own.fail("GetVersion", { grpc: 14, details: "no more" });
  await expect(one.getVersion()).rejects.toMatchObject({ code: 14, details: "no more" });
  own.fail("GetVersion", "cut");
  await expect(one.getVersion()).rejects.toMatchObject({ code: 14 });
  own.fail("GetVersion", "hang");
  const hanging = one.getVersion().catch(() => "given up");
  await expect.poll(() => own.waiting).toBe(1);
  await own.kill();
  expect(await hanging).toBe("given up");
  await own.start();
  await expect
    .poll(() => one.getVersion().catch(() => "away"), { timeout: 10_000 })
    .toMatchObject({ status: { code: 0 } });
  await one.closeConnection();
  await own.stop();
});
