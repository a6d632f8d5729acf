import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { causesOf, type StorageHandle } from "@vcon-server/core";
import { sampleVcon, stored } from "@vcon-server/core/testing";
import { MilvusClient } from "@zilliz/milvus2-sdk-node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { fieldsOf } from "./schema.ts";
import { call, DIM, type Stage, setStage } from "./stage.ts";

let stage: Stage;
let storage: StorageHandle;
let client: MilvusClient;
beforeAll(async () => {
  stage = await setStage();
  storage = await stage.open();
  client = new MilvusClient({ address: stage.server.address, logLevel: "error", __SKIP_CONNECT__: true });
});
afterAll(async () => {
  await client.closeConnection();
  await stage.stop();
});

const others: Stage[] = [];
const setOther = async (...given: Parameters<typeof setStage>): Promise<Stage> => {
  const other = await setStage(...given);
  others.push(other);
  return other;
};
afterEach(async () => void (await Promise.all(others.splice(0).map((other) => other.stop()))));

const DOWN = { code: "VCON_STORAGE_DOWN", retryable: true };
const down = (message: RegExp) => ({ ...DOWN, message: expect.stringMatching(message) });

test("a collection that is missing is an outage that says what to do, unless it may be made", async () => {
  const strict = await stage.open({ collection_name: "missing", create_collection_if_missing: false });
  const remedy = down(/there is none; create it, or set create_collection_if_missing: true/);
  await expect(strict.save(stored(sampleVcon()), call)).rejects.toMatchObject(remedy);
  await expect(strict.delete?.(sampleVcon().uuid, call)).rejects.toMatchObject(remedy);
  await expect(strict.check?.(call)).rejects.toMatchObject(remedy);
});

test("a collection of other dimensions is an outage that names both", async () => {
  await storage.check?.(call);
  const other = await stage.open({ embedding_dim: 16 });
  await expect(other.save(stored(sampleVcon()), call)).rejects.toMatchObject(down(/vectors of 8 numbers.*is 16/));
});

test("a collection of something else is not touched", async () => {
  const fields = fieldsOf(DIM).filter(({ name }) => name === "id" || name === "embedding");
  await client.createCollection({ collection_name: "else", fields });
  const other = await stage.open({ collection_name: "else" });
  await expect(other.check?.(call)).rejects.toMatchObject(down(/none of vCons: vcon_uuid, text missing/));
});

test("a database that is missing is named", async () => {
  const other = await stage.open({ db_name: "nowhere" });
  await expect(other.check?.(call)).rejects.toMatchObject(down(/nowhere.*create the database, or correct db_name/));
});

test("a collection without an index, as a crash may leave it, gets one", async () => {
  stage.server.fail("CreateIndex", { grpc: 14, details: "gone" });
  const options = { collection_name: "halfmade" };
  const other = await stage.open(options);
  await expect(other.save(stored(sampleVcon()), call)).rejects.toMatchObject(DOWN);
  const strict = await stage.open({ ...options, create_collection_if_missing: false });
  await expect(strict.check?.(call)).rejects.toMatchObject(down(/create an index on embedding/));
  await other.save(stored(sampleVcon()), call);
  expect(stage.server.rows("halfmade")).toHaveLength(1);
});

test("several processes that start at once make one collection", async () => {
  const storages = await Promise.all(Array.from({ length: 3 }, () => stage.open({ collection_name: "raced" })));
  await Promise.all(storages.map((one) => one.save(stored(sampleVcon()), call)));
  expect(stage.server.rows("raced")).toHaveLength(3);
});

test("a collection that cannot be made is an outage", async () => {
  const other = await stage.open({ collection_name: "unmade" });
  stage.server.fail("CreateCollection", {
    status: { code: 65_535, reason: "exceeded the limit number of collections" },
  });
  await expect(other.check?.(call)).rejects.toMatchObject(down(/making collection unmade: exceeded the limit/));
});

test("a collection that is being loaded is waited for", async () => {
  const slow = await setOther({ loadingFor: 2 });
  const other = await slow.open();
  await other.save(stored(sampleVcon()), call);
  expect(slow.server.calls.filter(({ method }) => method === "GetLoadState").length).toBeGreaterThan(2);
  expect(slow.rows()).toHaveLength(1);
});

test("a collection that is dropped in the middle is an outage, and then made again", async () => {
  const other = await stage.open({ collection_name: "dropped" });
  await other.save(stored(sampleVcon()), call);
  await client.dropCollection({ collection_name: "dropped" });
  await expect(other.save(stored(sampleVcon()), call)).rejects.toMatchObject(DOWN);
  await other.save(stored(sampleVcon()), call);
  expect(stage.server.rows("dropped")).toHaveLength(1);
});

test.each([
  [1, /tried again/],
  [3, /memory is full/],
  [7, /disk is full/],
  [8, /rate limit is reached/],
  [9, /quota is used up or writing is switched off/],
  [101, /loaded again/],
  [1401, /grant the user/],
  [65_535, /tried again/],
] as const)("code %i of Milvus is an outage with a remedy, and the old row stays", async (code, remedy) => {
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  stage.server.fail("Insert", { status: { code, reason: `because of ${code}` } });
  const failing = storage.save(stored({ ...vcon, subject: "new" }, 2), call);
  const message = new RegExp(`^saving ${vcon.uuid}: because of ${code}.*${remedy.source}`);
  await expect(failing).rejects.toMatchObject({ ...down(message), details: { milvus: code } });
  expect(stage.rows(vcon)).toHaveLength(1);
  await storage.save(stored({ ...vcon, subject: "new" }, 2), call);
  expect(stage.rows(vcon)).toMatchObject([{ subject: "new" }]);
});

test("rows that Milvus finds fault with: a batch is refused to be tried one by one, a single one waits", async () => {
  const fault = { status: { code: 1100, reason: "length of varchar field exceeds" } } as const;
  stage.server.fail("Insert", fault, 2);
  const batch = [stored(sampleVcon()), stored(sampleVcon())];
  await expect(storage.saveMany?.(batch, call)).rejects.toMatchObject({
    code: "VCON_STORAGE_REFUSED",
    retryable: false,
  });
  await expect(storage.save(batch[0]!, call)).rejects.toMatchObject(DOWN);
});

test("when the old row cannot be deleted there are two, never none, and the next save leaves one", async () => {
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  // as often as it is sent again
  stage.server.fail("Delete", "cut", 9);
  const changed = stored({ ...vcon, subject: "new" }, 2);
  await expect(storage.save(changed, call)).rejects.toMatchObject(DOWN);
  expect(stage.rows(vcon).map(({ subject }) => subject)).toEqual(["", "new"]);
  await storage.save(changed, call);
  expect(stage.rows(vcon).map(({ subject }) => subject)).toEqual(["new"]);
});

test("an insert whose answer is lost is sent again, which neither doubles nor pays again", async () => {
  const vcon = sampleVcon();
  const paid = stage.ai.requests.length;
  stage.server.fail("Insert", "cut-after");
  await storage.save(stored(vcon), call);
  expect([stage.rows(vcon).length, stage.ai.requests.length - paid]).toEqual([1, 1]);
});

test("fewer rows than were sent is a failure", async () => {
  stage.server.fail("Insert", { answer: { status: { errorCode: "Success" }, insertCnt: "0" } });
  await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject(down(/0 of 1 rows were written/));
});

test("a server that hangs is left when the call's time is over, and is told so: nothing is written later", async () => {
  const vcon = sampleVcon();
  await storage.check?.(call);
  for (const method of ["Query", "Insert"]) {
    const controller = new AbortController();
    stage.server.fail(method, "hang");
    const saving = storage.save(stored(vcon), { signal: controller.signal });
    saving.catch(() => undefined);
    await expect.poll(() => stage.server.waiting).toBe(1);
    controller.abort(new Error("out of time"));
    await expect(saving).rejects.toThrow("out of time");
    await expect.poll(() => stage.server.waiting).toBe(0);
  }
  expect(stage.rows(vcon)).toEqual([]);
  await storage.save(stored(vcon), call);
  expect(stage.rows(vcon)).toHaveLength(1);
});

test("a server that stands still is left as well, and calls that wait in line are never sent", async () => {
  const still = await setOther();
  const other = await still.open();
  await other.check?.(call);
  still.server.freeze();
  const controller = new AbortController();
  const saving = Array.from({ length: 20 }, () => other.save(stored(sampleVcon()), { signal: controller.signal }));
  const settled = Promise.allSettled(saving);
  await expect.poll(() => still.server.waiting).toBe(8);
  controller.abort(new Error("out of time"));
  expect((await settled).map((one) => one.status === "rejected" && String(one.reason))).toEqual(
    Array(20).fill("Error: out of time"),
  );
  still.server.thaw();
  await other.save(stored(sampleVcon()), call);
  expect(still.server.calls.filter(({ method }) => method === "Query")).toHaveLength(9);
  expect(still.rows()).toHaveLength(1);
});

test("after the server was away, the same storage works again as soon as it is back", async () => {
  const away = await setOther();
  const other = await away.open();
  const vcon = sampleVcon();
  await other.save(stored(vcon), call);
  await away.server.kill();
  await expect(other.check?.(call)).rejects.toMatchObject(DOWN);
  await expect(other.save(stored(vcon), call)).rejects.toMatchObject(DOWN);
  await away.server.start();
  const again = () =>
    other.save(stored({ ...vcon, subject: "back" }, 2), call).then(
      () => "saved",
      () => "away",
    );
  await expect.poll(again, { timeout: 10_000 }).toBe("saved");
  expect(away.rows()).toMatchObject([{ subject: "back" }]);
});

/** Everything an error says, causes and details included. */
const wordsOf = (error: unknown): string => [...causesOf(error), JSON.stringify(error), String(error)].join("\n");

test.each([
  [{ username: "root", password: "canary-wr0ng" }, /check username and password, or token/],
  [{ token: "canary-wr0ng" }, /check api key is correct; check username and password, or token/],
  [{}, /missing authorization/],
])("wrong credentials are an outage that shows none of them: %j", async (credentials, message) => {
  const closed = await setOther({ users: { root: "right" }, repeatsPasswords: true });
  const other = await closed.open(credentials);
  const error: unknown = await other.save(stored(sampleVcon()), call).catch((reason: unknown) => reason);
  expect(error).toMatchObject(down(message));
  expect(wordsOf(error)).not.toContain("canary");
});

test("right credentials are let in", async () => {
  const closed = await setOther({ users: { root: "right" }, tokens: ["key"] });
  await (await closed.open({ username: "root", password: "right" })).save(stored(sampleVcon()), call);
  await (await closed.open({ token: "key" })).save(stored(sampleVcon()), call);
  expect(closed.rows()).toHaveLength(2);
});

test("what answers without being Milvus is an outage", async () => {
  const web = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
  await new Promise((resolve) => web.once("listening", resolve));
  const address = web.address();
  const port = typeof address === "object" ? address?.port : 0;
  await expect((await stage.open({ port })).check?.(call)).rejects.toMatchObject(DOWN);
  web.closeAllConnections();
  await new Promise((resolve) => web.close(resolve));
  const other = await stage.open({ collection_name: "nonsense" });
  stage.server.fail("DescribeCollection", { answer: {} });
  await expect(other.check?.(call)).rejects.toMatchObject(DOWN);
  stage.server.fail("DescribeCollection", { grpc: 12, details: "unknown method" });
  await expect(other.check?.(call)).rejects.toMatchObject(down(/no Milvus server: check the address/));
});

test("TLS is spoken with the authority that is given, and checked", async () => {
  const pem = (name: string) => readFileSync(join(import.meta.dirname, "testdata", `loopback.${name}.pem`), "utf8");
  const secure = await setOther({ tls: { key: pem("key"), cert: pem("cert") } });
  await (await secure.open({ host: "localhost", tls_ca: pem("cert") })).save(stored(sampleVcon()), call);
  expect(secure.rows()).toHaveLength(1);
  const unknown = await secure.open({ uri: `https://localhost:${secure.server.port}` });
  await expect(unknown.check?.(call)).rejects.toMatchObject(down(/certificate/));
  const plain = await stage.open({ uri: `https://localhost:${stage.server.port}` });
  await expect(plain.check?.(call)).rejects.toMatchObject(DOWN);
});
