import { type MongoServer, startMongo } from "@vcon-server/core/testing/servers/mongo";
import { type Collection, Int32, Long, MongoClient, type MongoServerError } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";

// The stand-in for a server, as the official driver sees it. What it answers is what the server's documentation says.

interface Row {
  readonly _id: string;
  readonly [member: string]: unknown;
}

let server: MongoServer;
let client: MongoClient;
beforeAll(async () => {
  server = await startMongo({ replicaSet: "rs0" });
  client = new MongoClient(server.url);
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

let made = 0;
const fresh = (): Collection<Row> => client.db("test").collection<Row>(`rows_${++made}`);
const codeOf = (failure: Promise<unknown>): Promise<unknown> =>
  failure.then(
    () => "succeeded",
    ({ code }: MongoServerError) => code,
  );

test("documents are found by filters, in order, in part, and removed", async () => {
  const rows = fresh();
  await rows.insertMany([
    { _id: "a", n: 1, tags: ["x"] },
    { _id: "b", n: 3 },
    { _id: "c", n: 2, deep: { er: new Date(5) } },
  ]);
  const names = (filter: object) =>
    rows
      .find(filter)
      .map(({ _id: id }) => id)
      .toArray();
  expect(await names({ n: { $gte: 2 } })).toEqual(["b", "c"]);
  expect(await names({ tags: "x" })).toEqual(["a"]);
  expect(await names({ "deep.er": { $lt: new Date(6) } })).toEqual(["c"]);
  expect(await rows.find({}).sort({ n: -1 }).skip(1).limit(1).project({ n: 1 }).toArray()).toEqual([
    { _id: "c", n: 2 },
  ]);
  expect(await rows.deleteOne({ n: { $gt: 1 } })).toMatchObject({ deletedCount: 1 });
  expect(await rows.deleteMany({})).toMatchObject({ deletedCount: 2 });
  expect(await rows.findOne({})).toBeNull();
});

test("a replacement leaves nothing of the old document but its _id, operators change what they name", async () => {
  const rows = fresh();
  expect(await rows.replaceOne({ _id: "a" }, { x: 1, y: new Int32(2) }, { upsert: true })).toMatchObject({
    matchedCount: 0,
    upsertedId: "a",
  });
  await rows.updateOne({ _id: "a" }, { $set: { x: 5, "z.w": 1 } });
  expect(await rows.findOne({ _id: "a" })).toEqual({ _id: "a", x: 5, y: 2, z: { w: 1 } });
  expect(await rows.replaceOne({ _id: "a" }, { q: 1 })).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
  expect(await rows.replaceOne({ _id: "a" }, { q: 1 })).toMatchObject({ matchedCount: 1, modifiedCount: 0 });
  expect(server.documents("test", rows.collectionName)).toEqual([{ _id: "a", q: 1 }]);
  expect(await rows.updateOne({ _id: "no" }, { $set: { x: 1 } })).toMatchObject({ matchedCount: 0, upsertedCount: 0 });
});

test("types of numbers stay what they were", async () => {
  const rows = fresh();
  await rows.insertOne({ _id: "a", int: new Int32(1), long: Long.fromString("9007199254740993"), double: 1.5 });
  const found = await rows.findOne({ _id: "a" }, { promoteValues: false });
  expect(found).toMatchObject({ int: new Int32(1), long: Long.fromString("9007199254740993") });
});

test("collections are listed and dropped, the server is asked whether it lives", async () => {
  const rows = fresh();
  await rows.insertOne({ _id: "a" });
  const listed = async () => (await client.db("test").listCollections().toArray()).map(({ name }) => name);
  expect(await listed()).toContain(rows.collectionName);
  await rows.drop();
  expect(await listed()).not.toContain(rows.collectionName);
  expect(await client.db("test").command({ ping: 1 })).toMatchObject({ ok: 1 });
  expect(await codeOf(client.db("test").command({ nonsense: 1 }))).toBe(59);
});

test("unique indexes, also over lists, and the immutable _id", async () => {
  const rows = fresh();
  await rows.createIndex({ "parties.tel": 1 }, { unique: true });
  await rows.insertOne({ _id: "a", parties: [{ tel: "1" }, { tel: "2" }] });
  expect(await codeOf(rows.insertOne({ _id: "a" }))).toBe(11000);
  expect(await codeOf(rows.insertOne({ _id: "b", parties: [{ tel: "2" }] }))).toBe(11000);
  await rows.insertOne({ _id: "b", parties: [{ tel: "3" }] });
  expect(await codeOf(rows.replaceOne({ _id: "b" }, { parties: [{ tel: "1" }] }))).toBe(11000);
  await rows.replaceOne({ _id: "a" }, { parties: [{ tel: "1" }] });
  const changed = client
    .db("test")
    .command({ update: rows.collectionName, updates: [{ q: { _id: "b" }, u: { _id: "z" } }] });
  expect(await changed).toMatchObject({ n: 0, writeErrors: [{ index: 0, code: 66 }] });
});

test("an ordered batch ends at its first error, an unordered one goes on", async () => {
  for (const [ordered, ids] of [
    [true, ["a"]],
    [false, ["a", "b"]],
  ] as const) {
    const rows = fresh();
    const documents = ["a", "a", "b"].map((_id) => ({ _id }));
    expect(await codeOf(rows.insertMany(documents, { ordered }))).toBe(11000);
    expect(server.documents("test", rows.collectionName).map(({ _id: id }) => id)).toEqual(ids);
  }
});

test("names with $ have no place at the top of a replacement, and before 5.0 nowhere", async () => {
  const replace = async (on: MongoClient, u: object) =>
    (await on.db("test").command({ update: "names", updates: [{ q: { _id: "a" }, u, upsert: true }] }))[
      "writeErrors"
    ]?.[0].code;
  const old = await startMongo({ wireVersion: 9 });
  const oldClient = new MongoClient(old.url);
  expect(await replace(client, { a: 1, $b: 1 })).toBe(52);
  expect(await replace(client, { a: { $b: 1 }, "c.d": 1 })).toBeUndefined();
  expect(await replace(oldClient, { a: { $b: 1 } })).toBe(52);
  expect(await replace(oldClient, { a: { $ref: "x", $id: 1 }, "c.d": 1 })).toBeUndefined();
  await oldClient.close();
  await old.stop();
});

test("documents over 16 MiB, commands over it and documents nested too deep are refused", async () => {
  const rows = fresh();
  const large = (bytes: number) => ({ _id: "a", x: "x".repeat(bytes) });
  const limit = 16 * 2 ** 20;
  await rows.replaceOne({ _id: "a" }, { x: "x".repeat(limit - 100) }, { upsert: true });
  expect(await codeOf(rows.replaceOne({ _id: "a" }, { x: "x".repeat(limit) }))).toBe(17419);
  expect(await codeOf(rows.replaceOne({ _id: "b" }, { x: "x".repeat(limit) }, { upsert: true }))).toBe(17420);
  expect(await codeOf(rows.replaceOne({ _id: "a" }, { x: "x".repeat(limit + 20_000) }))).toBe(10334);
  expect(await codeOf(rows.insertOne(large(limit)))).toBe(2);
  const nested = (levels: number): object => (levels === 0 ? {} : { a: nested(levels - 1) });
  await rows.replaceOne({ _id: "c" }, { a: nested(170) }, { upsert: true });
  expect(await codeOf(rows.replaceOne({ _id: "c" }, { a: nested(190) }, { upsert: true }))).toBe(15);
});

test("a server that stands alone does not take numbered writes", async () => {
  const alone = await startMongo();
  const aloneClient = new MongoClient(alone.url);
  const lsid = { id: client.startSession().id?.id };
  const command = { insert: "x", documents: [{ a: 1 }], lsid, txnNumber: Long.ONE };
  expect(await codeOf(aloneClient.db("test").command(command))).toBe(20);
  await aloneClient.close();
  await alone.stop();
});

test("a write nobody waits for is not answered, and carried out", async () => {
  const rows = fresh();
  await rows.insertOne({ _id: "a" }, { writeConcern: { w: 0 } });
  await rows.insertOne({ _id: "b" });
  expect(
    server
      .documents("test", rows.collectionName)
      .map(({ _id: id }) => id)
      .toSorted(),
  ).toEqual(["a", "b"]);
});
