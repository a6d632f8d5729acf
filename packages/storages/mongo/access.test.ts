import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import type { StorageHandle } from "@vcon-server/core";
import { openStorage, sampleVcon, stored } from "@vcon-server/core/testing";
import { type MongoServer, startMongo } from "@vcon-server/core/testing/servers/mongo";
import { afterAll, beforeAll, expect, test } from "vitest";
import mongo from "./index.ts";

// Who may sign in, how, and what is said of it.

const CANARY = "c4n@ry/secret";
const call = { signal: new AbortController().signal };
const DOWN = { code: "VCON_STORAGE_DOWN", retryable: true };

let server: MongoServer;
beforeAll(async () => {
  const ann = { password: CANARY };
  server = await startMongo({ users: { ann, "r,e=ader": { password: CANARY, readOnly: true } } });
});
afterAll(() => server.stop());

const urlFor = (user: string, password: string, rest = "/"): string =>
  `mongodb://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${server.port}${rest}`;

async function withStorage<T>(
  options: Record<string, unknown>,
  use: (storage: StorageHandle) => Promise<T>,
): Promise<T> {
  const storage = await openStorage(mongo, options);
  try {
    return await use(storage);
  } finally {
    await storage.close?.();
  }
}

/** Fails when an error shows the secret anywhere, causes and their members included. */
function expectNoSecret(error: unknown): void {
  const said = inspect(error, { depth: 30, showHidden: true, maxStringLength: null, maxArrayLength: null });
  expect(error).toBeInstanceOf(Error);
  for (const secret of [CANARY, encodeURIComponent(CANARY), "c4n"]) expect(said).not.toContain(secret);
}

test("whoever has user and password may write and read", async () => {
  const vcon = sampleVcon();
  await withStorage({ url: urlFor("ann", CANARY) }, async (storage) => {
    await storage.save(stored(vcon), call);
    await storage.check?.(call);
  });
  await withStorage({ url: urlFor("ann", CANARY, "/elsewhere?authSource=admin") }, async (storage) => {
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  });
});

test.each([
  ["a wrong password", () => urlFor("ann", `${CANARY}x`)],
  ["an unknown user", () => urlFor("bob", CANARY)],
  ["a user of another database", () => urlFor("ann", CANARY, "/conserver")],
  ["nobody", () => server.url],
])("%s is an outage that says what to look at, and shows no password", async (_, url) => {
  await withStorage({ url: url() }, async (storage) => {
    const doc = stored(sampleVcon());
    const calls = [
      storage.save(doc, call),
      storage.saveMany?.([doc], call),
      storage.load?.(doc.uuid, call),
      storage.check?.(call),
    ];
    for (const result of await Promise.allSettled(calls)) {
      const error: unknown = result.status === "rejected" ? result.reason : "resolved";
      expect(error).toMatchObject({ ...DOWN, message: expect.stringMatching(/authSource|readWrite/) });
      expectNoSecret(error);
    }
  });
});

test("a user who may only read: reading works, saving says which role is missing", async () => {
  await withStorage({ url: urlFor("r,e=ader", CANARY) }, async (storage) => {
    const doc = stored(sampleVcon());
    expect(await storage.load?.(doc.uuid, call)).toBeUndefined();
    const error = await storage.save(doc, call).catch((failure: unknown) => failure);
    expect(error).toMatchObject({
      ...DOWN,
      message: expect.stringContaining("readWrite"),
      details: { mongodb_code: 13 },
    });
    expectNoSecret(error);
  });
});

test("an outage shows no password either", async () => {
  const url = urlFor("ann", CANARY, "/?serverSelectionTimeoutMS=200").replace(`:${server.port}`, ":1");
  await withStorage({ url }, async (storage) => {
    const error = await storage.check?.(call).catch((failure: unknown) => failure);
    expect(error).toMatchObject(DOWN);
    expectNoSecret(error);
  });
});

test.each(["/?nonsense=1", "/?maxPoolSize=many", "/?w=1&w=2", "/?authMechanism=NONE"])(
  "a url whose options the driver does not take (%s) is named, and its password is not shown",
  async (rest) => {
    const error = await openStorage(mongo, { url: urlFor("ann", CANARY, rest) })
      .then((storage) => storage.check?.(call).finally(() => storage.close?.()))
      .catch((failure: unknown) => failure);
    expect(error).toMatchObject({ ...DOWN, message: expect.stringMatching(/url/) });
    expectNoSecret(error);
  },
);

test("TLS: a certificate is checked against the authority that is given", async () => {
  const pem = (kind: string) => readFileSync(join(import.meta.dirname, `testdata/loopback.${kind}.pem`), "utf8");
  const secure = await startMongo({ tls: { key: pem("key"), cert: pem("cert") } });
  await withStorage({ url: secure.url, tls_ca: pem("cert") }, (storage) => storage.save(stored(sampleVcon()), call));
  expect(secure.documents("conserver", "vcons")).toHaveLength(1);
  await withStorage({ url: `${secure.url}?tls=true&serverSelectionTimeoutMS=300` }, (storage) =>
    expect(storage.check?.(call)).rejects.toMatchObject({ ...DOWN, message: expect.stringMatching(/tls_ca/) }),
  );
  await secure.stop();
});

test.each([
  [{ url: "http://localhost" }, /mongodb:\/\//],
  [{ url: "mongodb://ann:p@ss@localhost/" }, /%3A/],
  [{ url: "mongodb://ann:p/ss@localhost/" }, /%3A/],
  [{ url: "mongodb://ann:100%@localhost/" }, /%25/],
  [{ url: "mongodb://ann:%FF@localhost/" }, /%25/],
  [{ url: "mongodb://localhost/?w=0" }, /w=0/],
  [{ url: "mongodb://localhost/?tls=true&tlsAllowInvalidCertificates=true" }, /tls_ca/],
  [{ uri: "mongodb://localhost/" }, /uri/],
  [{ database: "a.b" }, /database/],
  [{ collection: "system.users" }, /collection/],
  [{ max_pool_size: 0 }, /max_pool_size/],
])("the options %o are refused", (options, message) => {
  expect(() => mongo.options.parse(options)).toThrow(message);
});

test.each([
  "mongodb://localhost:27017/",
  "mongodb://ann:p%40ss@[::1]:27017,db2.example.com/vcons?replicaSet=rs0&w=2",
  "mongodb+srv://ann:secret@cluster.example.net/?retryWrites=true",
])("%s is a url", (url) => {
  expect(mongo.options.parse({ url })).toMatchObject({ url, database: "conserver", collection: "vcons" });
});
