import { type AddressInfo, connect, createServer } from "node:net";
import { causesOf, type StorageHandle } from "@vcon-server/core";
import { fixtureVcons, openStorage, sampleVcon, stored, testStorage, using } from "@vcon-server/core/testing";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { type MongoServer, startMongo } from "@vcon-server/core/testing/servers/mongo";
import { MongoClient, ObjectId } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import mongo from "./index.ts";

let server: MongoServer;
/** Looks into the database as its users do. */
let driver: MongoClient;
beforeAll(async () => {
  server = await startMongo();
  driver = new MongoClient(server.url);
});
afterAll(async () => {
  await driver.close();
  await server.stop();
});

const open = (options: Record<string, unknown> = {}): Promise<StorageHandle> =>
  openStorage(mongo, { url: server.url, ...options });
const call = { signal: new AbortController().signal };
const DOWN = { code: "VCON_STORAGE_DOWN", retryable: true };
const REFUSED = { code: "VCON_STORAGE_REFUSED", retryable: false };

/** Opens a storage for one test. */
const withStorage = <T>(options: Record<string, unknown>, use: (storage: StorageHandle) => Promise<T>): Promise<T> =>
  using(open(options), use);

testStorage("mongo", () => open(), {
  unreachable: () => open({ url: "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300" }),
});

test("a vCon is a document of the collection as the Python server made it: _id and dates can be asked for", async () => {
  await withStorage({ database: "archive", collection: "calls" }, async (storage) => {
    const vcon = sampleVcon({ created_at: "2026-03-04T05:06:07+01:00" });
    await storage.save(stored(vcon), call);
    const calls = driver.db("archive").collection<{ _id: string }>("calls");
    const filter = {
      created_at: { $gte: new Date("2026-03-04T04:06:07Z"), $lt: new Date("2026-03-04T04:06:08Z") },
      "dialog.start": { $lte: new Date("2026-01-02T03:04:05Z") },
      "parties.tel": "+12025550123",
    };
    const found = await calls.find(filter).toArray();
    expect(found.map((document) => Object.keys(document))).toEqual([["_id", ...Object.keys(vcon), "_vcon_exact"]]);
    expect(found).toMatchObject([{ _id: vcon.uuid, created_at: new Date("2026-03-04T04:06:07Z") }]);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  });
});

test("members that are gone are gone in the database too", async () => {
  await withStorage({ collection: "gone" }, async (storage) => {
    const vcon = sampleVcon({ dialog: [] });
    await storage.save(stored({ ...vcon, subject: "first", dialog: [{ type: "text" }], $odd: 1 }), call);
    await storage.saveMany?.([stored(vcon, 2)], call);
    expect(server.documents("conserver", "gone")).toEqual([
      { _id: vcon.uuid, ...vcon, created_at: new Date("2026-01-02T03:04:05Z") },
    ]);
  });
});

test("a batch with the same vCon twice keeps the newest revision, an empty one does nothing", async () => {
  await withStorage({}, async (storage) => {
    const vcon = sampleVcon({ subject: "old" });
    await storage.saveMany?.([stored({ ...vcon, subject: "new" }, 3), stored(vcon, 2)], call);
    expect((await storage.load?.(vcon.uuid, call))?.subject).toBe("new");
    await storage.saveMany?.([], call);
  });
});

test("opening asks nobody; all calls share the connections of one pool, under the name that was given", async () => {
  const other = await startMongo();
  await withStorage({ url: other.url, name: "archive-writer", max_pool_size: 3 }, async (storage) => {
    expect(other.connections).toBe(0);
    await Promise.all(Array.from({ length: 50 }, () => storage.save(stored(sampleVcon()), call)));
    // three, and those that watch the server
    expect(other.connections).toBeLessThanOrEqual(5);
    expect(new Set(other.appNames)).toEqual(new Set(["archive-writer"]));
    expect(other.documents("conserver", "vcons")).toHaveLength(50);
  });
  await expect.poll(() => other.connections).toBe(0);
  await other.stop();
});

test("what the url says counts", async () => {
  const other = await startMongo();
  await withStorage({ url: `${other.url}?appname=theirs&maxPoolSize=1`, name: "mine" }, async (storage) => {
    await Promise.all(Array.from({ length: 10 }, () => storage.save(stored(sampleVcon()), call)));
    expect(new Set(other.appNames)).toEqual(new Set(["theirs"]));
    expect(other.connections).toBeLessThanOrEqual(3);
  });
  await other.stop();
});

test("a reply that is lost after the write costs no call on a single server either, and the vCon is there once", async () => {
  await withStorage({ collection: "lost" }, async (storage) => {
    const vcons = [sampleVcon(), sampleVcon()];
    for (const save of [
      () => storage.save(stored(vcons[0]!), call),
      () =>
        storage.saveMany?.(
          vcons.map((vcon) => stored(vcon)),
          call,
        ),
    ]) {
      server.fail("update", { kind: "cut-after" });
      await save();
    }
    expect(server.documents("conserver", "lost")).toHaveLength(2);
  });
});

test("a member that is no primary, named alone: check and saving say so", async () => {
  const set = await startMongo({ replicaSet: "rs0" });
  set.stepDown();
  const { port } = set;
  await withStorage({ url: `mongodb://127.0.0.1:${port}/?directConnection=true` }, async (storage) => {
    const notPrimary = { ...DOWN, message: expect.stringMatching(/no primary; name all members/) };
    await expect(storage.check?.(call)).rejects.toMatchObject(notPrimary);
    await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject(notPrimary);
    set.stepUp();
    await storage.check?.(call);
    await storage.save(stored(sampleVcon()), call);
  });
  await set.stop();
});

test("in a replica set the driver sends a lost write once more, and it is carried out once", async () => {
  const set = await startMongo({ replicaSet: "rs0" });
  await withStorage({ url: set.url }, async (storage) => {
    const vcon = sampleVcon();
    set.fail("update", { kind: "cut-after" });
    await storage.save(stored(vcon), call);
    set.fail("update", { kind: "cut-before" });
    await storage.saveMany?.([stored(vcon, 2)], call);
    expect(set.commands.filter((command) => command === "update")).toHaveLength(4);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  });
  await set.stop();
});

test("a replica set without a primary is an outage until it has one again", async () => {
  const set = await startMongo({ replicaSet: "rs0" });
  await withStorage({ url: `${set.url}?serverSelectionTimeoutMS=300` }, async (storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    set.stepDown();
    await expect(storage.save(stored(vcon, 2), call)).rejects.toMatchObject(DOWN);
    await expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject(DOWN);
    set.stepUp();
    await expect.poll(() => storage.load?.(vcon.uuid, call).catch(String), { timeout: 10_000 }).toEqual(vcon);
  });
  await set.stop();
});

test("after the server was killed, the same storage works again as soon as it is back", async () => {
  const other = await startMongo();
  await withStorage({ url: `${other.url}?serverSelectionTimeoutMS=300` }, async (storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    await other.kill();
    await expect(storage.save(stored(vcon), call)).rejects.toMatchObject(DOWN);
    await expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject(DOWN);
    await expect(storage.check?.(call)).rejects.toMatchObject(DOWN);
    await other.start();
    await expect.poll(() => storage.load?.(vcon.uuid, call).catch(String), { timeout: 10_000 }).toEqual(vcon);
  });
  await other.stop();
});

test("a call on a server that hangs ends when its time is over, and its connection is not used again", async () => {
  const other = await startMongo();
  const doc = stored(sampleVcon());
  await withStorage({ url: other.url, max_pool_size: 1 }, async (storage) => {
    const calls: [string, (signal: AbortSignal) => Promise<unknown> | undefined][] = [
      ["update", (signal) => storage.save(doc, { signal })],
      ["update", (signal) => storage.saveMany?.([doc], { signal })],
      ["find", (signal) => storage.load?.(doc.uuid, { signal })],
      ["delete", (signal) => storage.delete?.(doc.uuid, { signal })],
      ["find", (signal) => storage.check?.({ signal })],
    ];
    for (const [command, ask] of calls) {
      const before = other.commands.length;
      const controller = new AbortController();
      other.fail(command, { kind: "hang" });
      const hanging = ask(controller.signal);
      await expect.poll(() => other.commands.slice(before)).toEqual([command]);
      controller.abort(new Error("out of time"));
      await expect(hanging).rejects.toThrow("out of time");
      // with one connection at most, this needs a new one
      await storage.save(doc, call);
    }
  });
  await other.stop();
});

test("a server that stops answering altogether holds up neither a call nor the end", async () => {
  const other = await startMongo();
  const storage = await open({ url: other.url });
  await storage.save(stored(sampleVcon()), call);
  const before = other.commands.length;
  other.freeze();
  const controller = new AbortController();
  const loading = storage.load?.(sampleVcon().uuid, { signal: controller.signal });
  await expect.poll(() => other.commands.slice(before)).toEqual(["find"]);
  controller.abort(new Error("out of time"));
  await expect(loading).rejects.toThrow("out of time");
  const began = performance.now();
  await storage.close?.();
  expect(performance.now() - began).toBeLessThan(5_000);
  await other.stop();
});

test("a server that takes connections but never greets holds up neither a call nor the end", async () => {
  const other = await startMongo();
  other.freeze();
  const storage = await open({ url: other.url });
  const controller = new AbortController();
  const doc = stored(sampleVcon());
  const calls = [storage.save(doc, controller), storage.saveMany?.([doc], controller)];
  await expect.poll(() => other.connections).toBeGreaterThan(0);
  controller.abort(new Error("out of time"));
  for (const running of calls) await expect(running).rejects.toThrow("out of time");
  await storage.close?.();
  await other.stop();
});

test("something that is no MongoDB server is an outage", async () => {
  const web = createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(0, "127.0.0.1");
  await new Promise((resolve) => web.once("listening", resolve));
  const url = `mongodb://127.0.0.1:${(web.address() as AddressInfo).port}/?serverSelectionTimeoutMS=300`;
  await withStorage({ url }, (storage) => expect(storage.check?.(call)).rejects.toMatchObject(DOWN));
  await new Promise((resolve) => web.close(resolve));
});

test("a vCon that is too large as BSON is refused before anything is sent, alone and in a batch", async () => {
  await withStorage({ collection: "large" }, async (storage) => {
    const x = "x".repeat(16 * 2 ** 20);
    const [small, large, other] = [sampleVcon(), sampleVcon({ x }), sampleVcon({ x })];
    const reason = ".*\\(1677\\d{4} bytes\\).*up to 16 MiB.*another storage";
    const refused = (uuids: string) => ({ ...REFUSED, message: expect.stringMatching(uuids + reason) });
    await expect(storage.save(stored(large), call)).rejects.toMatchObject(refused(large.uuid));
    await expect(storage.saveMany?.([stored(large), stored(small), stored(other)], call)).rejects.toMatchObject(
      refused(`${large.uuid}.*${other.uuid}`),
    );
    expect(server.documents("conserver", "large")).toEqual([]);
    const fits = { ...large, x: "x".repeat(16 * 2 ** 20 - 700) };
    await storage.save(stored(fits), call);
    expect(await storage.load?.(fits.uuid, call)).toEqual(fits);
  });
});

test("small numbers in great number are larger as BSON than as JSON; that is seen too", async () => {
  await withStorage({}, async (storage) => {
    const vcon = sampleVcon({ x: Array.from({ length: 1_500_000 }, () => 1) });
    await expect(storage.save(stored(vcon), call)).rejects.toMatchObject(REFUSED);
  });
});

test.each([
  ["REFUSED", 10334, /up to 16 MiB/],
  ["REFUSED", 121, /MongoDB refuses/],
  ["REFUSED", 15, /MongoDB refuses/],
  ["DOWN", 13, /readWrite/],
  ["DOWN", 50, /tried again/],
  ["DOWN", 91, /tried again/],
  ["DOWN", 8000, /authSource/],
  ["DOWN", 10107, /tried again/],
  ["DOWN", 14031, /disk .* is full/],
])("an answer that means %s: %i", async (kind, code, message) => {
  await withStorage({ collection: "codes" }, async (storage) => {
    const vcon = sampleVcon();
    const expected = {
      code: `VCON_STORAGE_${kind}`,
      message: expect.stringMatching(message),
      details: { mongodb_code: code },
    };
    server.fail("update", { kind: "error", code, message: "no" }, 2);
    await expect(storage.save(stored(vcon), call)).rejects.toMatchObject(expected);
    await expect(storage.saveMany?.([stored(vcon), stored(sampleVcon())], call)).rejects.toMatchObject(expected);
    await storage.save(stored(vcon), call);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  });
});

test("a write that too few members confirm is an outage", async () => {
  await withStorage({}, async (storage) => {
    server.fail("update", { kind: "write-concern", code: 64, message: "waiting for replication timed out" }, 2);
    const few = { ...DOWN, message: expect.stringMatching(/too few members/) };
    await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject(few);
    await expect(storage.saveMany?.([stored(sampleVcon())], call)).rejects.toMatchObject(few);
  });
});

test("a batch names every vCon that was not taken and why, without showing what is in it; the others are saved", async () => {
  await withStorage({ collection: "rules" }, async (storage) => {
    const calls = driver.db("conserver").collection("rules");
    await calls.createIndex({ "parties.tel": 1 }, { unique: true });
    const vcons = ["+1", "+2", "+31415", "+31415", "+5"].map((tel) => sampleVcon({ parties: [{ tel }] }));
    const [first, broken, third, twin, last] = vcons.map(({ uuid }) => uuid as string);
    if (broken === undefined) throw new Error("no uuid");
    server.refuse(broken, { code: 121, message: "Document failed validation" });
    const error = await storage
      .saveMany?.(
        vcons.map((vcon) => stored(vcon)),
        call,
      )
      .catch((failure: unknown) => failure);
    server.refuse(broken);
    expect(error).toMatchObject({
      ...REFUSED,
      details: {
        failed: [
          { uuid: broken, mongodb_code: 121 },
          { uuid: twin, mongodb_code: 11000 },
        ],
      },
    });
    expect(String(error)).toMatch(/2 of them.*failed validation.*parties\.tel_1/);
    const alone = await storage.save(stored(vcons[3]!), call).catch((failure: unknown) => failure);
    expect(alone).toMatchObject({ ...REFUSED, message: expect.stringMatching(/unique index/) });
    for (const failure of [error, alone]) expect(causesOf(failure).join()).not.toContain("31415");
    const ids = server.documents("conserver", "rules").map(({ _id: id }) => id);
    expect(ids).toEqual([first, third, last]);
  });
});

test("documents that only wait for the server are tried again; two writers that make the same one do not blame it", async () => {
  await withStorage({}, async (storage) => {
    const vcon = sampleVcon();
    for (const error of [
      { code: 14031, message: "No space left on device" },
      {
        code: 11000,
        message: `E11000 duplicate key error collection: conserver.vcons index: _id_ dup key: { _id: "x" }`,
      },
    ]) {
      server.refuse(vcon.uuid, error);
      await expect(storage.save(stored(vcon), call)).rejects.toMatchObject(DOWN);
      await expect(storage.saveMany?.([stored(vcon), stored(sampleVcon())], call)).rejects.toMatchObject(DOWN);
    }
    server.refuse(vcon.uuid);
    await storage.save(stored(vcon), call);
  });
});

test("a document that is no vCon is damage", async () => {
  await withStorage({ collection: "damaged" }, async (storage) => {
    const [strange, bare] = [sampleVcon().uuid, sampleVcon().uuid];
    const documents = [
      { _id: strange, uuid: strange, x: new ObjectId() },
      { _id: bare, x: 1 },
    ];
    await driver.db("conserver").collection<{ _id: string }>("damaged").insertMany(documents);
    for (const uuid of [strange, bare])
      await expect(storage.load?.(uuid, call)).rejects.toMatchObject({
        code: "VCON_STORAGE_DAMAGED",
        retryable: false,
      });
  });
});

test("every vCon of the fixtures comes back as it was, signed and encrypted ones too", async () => {
  const vcons = fixtureVcons().map(({ vcon }) => vcon);
  await withStorage({ collection: "fixtures" }, async (storage) => {
    await storage.saveMany?.(
      vcons.map((vcon) => stored(vcon)),
      call,
    );
    for (const vcon of vcons) expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  });
});

test("a server that is not there at first is used once it is", async () => {
  const port = await freePort();
  const url = `mongodb://127.0.0.1:${port}/?serverSelectionTimeoutMS=300`;
  const gate = createServer((near) => {
    const far = connect(Number(new URL(server.url).port), "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.pipe(other).once("error", () => one.destroy());
  });
  await withStorage({ url }, async (storage) => {
    const doc = stored(sampleVcon());
    for (let at = 0; at < 2; at++) await expect(storage.save(doc, call)).rejects.toMatchObject(DOWN);
    await new Promise<void>((resolve) => gate.listen(port, "127.0.0.1", resolve));
    await storage.save(doc, call);
    expect(await storage.load?.(doc.uuid, call)).toEqual(doc.vcon);
  });
  await new Promise((resolve) => gate.close(resolve));
});
