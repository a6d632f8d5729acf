import type { StorageHandle } from "@vcon-server/core";
import { openStorage, sampleVcon, stored, testStorage, using } from "@vcon-server/core/testing";
import { type RedisServer, startRedis } from "@vcon-server/core/testing/servers/redis";
import { serialize } from "@vcon-server/vcon";
import { afterAll, beforeAll, expect, test } from "vitest";
import redisStorage from "./index.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const open = (options: Record<string, unknown> = {}): Promise<StorageHandle> =>
  openStorage(redisStorage, { redis_url: server.url, ...options });
const call = { signal: new AbortController().signal };

/** Opens a storage for one test. */
const withStorage = <T>(options: Record<string, unknown>, use: (storage: StorageHandle) => Promise<T>): Promise<T> =>
  using(open(options), use);

testStorage("redis_storage", () => open(), { unreachable: () => open({ redis_url: "redis://127.0.0.1:1" }) });

test("a vCon is plain JSON text under prefix:uuid and expires, counted from the last save", async () => {
  await withStorage({ prefix: "archive", expires: 100 }, async (storage) => {
    const vcon = sampleVcon();
    const key = `archive:${vcon.uuid}`;
    await storage.save(stored(vcon), call);
    expect(await server.cli("GET", key)).toContain(serialize(vcon));
    await server.cli("EXPIRE", key, "5");
    await storage.saveMany?.([stored(vcon)], call);
    expect(Number(await server.cli("TTL", key))).toBeGreaterThan(90);
  });
});

test("expires: 0 keeps a vCon for good, also one that had a limit before", async () => {
  const [one, two] = [sampleVcon(), sampleVcon()];
  await withStorage({ expires: 100 }, (storage) => storage.save(stored(one), call));
  await withStorage({ expires: 0 }, async (storage) => {
    await storage.save(stored(one), call);
    await storage.saveMany?.([stored(two)], call);
  });
  for (const { uuid } of [one, two]) expect(Number(await server.cli("TTL", `vcon_storage:${uuid}`))).toBe(-1);
});

test("a database may be named in the address", async () => {
  const vcon = sampleVcon();
  await withStorage({ redis_url: `${server.url}/3` }, (storage) => storage.save(stored(vcon), call));
  expect(Number(await server.cli("-n", "3", "EXISTS", `vcon_storage:${vcon.uuid}`))).toBe(1);
});

test("a database the server does not have is said, and nothing is written to another one", async () => {
  await server.cli("flushall");
  await withStorage({ redis_url: `${server.url}/99` }, async (storage) => {
    const outage = {
      code: "VCON_STORAGE_DOWN",
      message: expect.stringMatching(/DB index is out of range; name a database the server has/),
    };
    await expect(storage.check?.(call)).rejects.toMatchObject(outage);
    await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject(outage);
    await expect(storage.saveMany?.([stored(sampleVcon())], call)).rejects.toMatchObject(outage);
  });
  expect(await server.cli("dbsize")).toBe("0");
});

test("a command the server does not know is an outage that says so, not the fault of the vCon", async () => {
  const other = await startRedis({ settings: { "rename-command": "SET HIDDEN" } });
  await withStorage({ redis_url: other.url }, async (storage) => {
    const outage = { code: "VCON_STORAGE_DOWN", message: expect.stringMatching(/unknown command.*; allow SET/) };
    await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject(outage);
    await expect(storage.saveMany?.([stored(sampleVcon())], call)).rejects.toMatchObject(outage);
  });
  await other.stop();
});

test("a full server is an outage, reading goes on, and it ends by itself when there is room", async () => {
  await withStorage({}, async (storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    await server.cli("CONFIG", "SET", "maxmemory", "1");
    const outage = { code: "VCON_STORAGE_DOWN", retryable: true };
    await expect(storage.save(stored(vcon), call)).rejects.toMatchObject(outage);
    await expect(storage.saveMany?.([stored(vcon)], call)).rejects.toMatchObject(outage);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    await storage.delete?.(vcon.uuid, call);
    await server.cli("CONFIG", "SET", "maxmemory", "0");
    await storage.save(stored(vcon), call);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  });
});

test("a key of another type is refused, a value that is no vCon is damage", async () => {
  await withStorage({}, async (storage) => {
    const [list, text] = [sampleVcon(), sampleVcon()];
    await server.cli("RPUSH", `vcon_storage:${list.uuid}`, "x");
    await server.cli("SET", `vcon_storage:${text.uuid}`, "{");
    await expect(storage.load?.(list.uuid, call)).rejects.toMatchObject({
      code: "VCON_STORAGE_REFUSED",
      retryable: false,
    });
    await expect(storage.load?.(text.uuid, call)).rejects.toMatchObject({
      code: "VCON_STORAGE_DAMAGED",
      retryable: false,
    });
  });
});

test("after the server was killed, the same storage works again as soon as it is back", async () => {
  const other = await startRedis({ appendonly: true });
  await withStorage({ redis_url: other.url }, async (storage) => {
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    await other.kill();
    await expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN", retryable: true });
    await other.restart();
    await expect.poll(() => storage.load?.(vcon.uuid, call).catch(() => "away"), { timeout: 10_000 }).toEqual(vcon);
  });
  await other.stop();
});

test("a server that hangs is left when the call's time is over", async () => {
  const other = await startRedis();
  await withStorage({ redis_url: other.url }, async (storage) => {
    await storage.save(stored(sampleVcon()), call);
    other.freeze();
    const controller = new AbortController();
    const saving = storage.save(stored(sampleVcon()), { signal: controller.signal });
    controller.abort(new Error("out of time"));
    await expect(saving).rejects.toThrow("out of time");
    other.thaw();
    await storage.check?.(call);
  });
  await other.stop();
});

test("a password that is wrong is named, and never shown", async () => {
  const other = await startRedis({ password: "right" });
  const url = other.url.replace("right", "wr0ng-secret");
  const error = await withStorage({ redis_url: url }, (storage) => storage.check?.(call) ?? Promise.resolve()).catch(
    String,
  );
  expect(error).toMatch(/(?:NOAUTH|WRONGPASS) .*; check user and password in redis_url$/);
  expect(error).not.toContain("wr0ng");
  await other.stop();
});

test.each([
  {},
  { redis_url: "localhost:6379" },
  { redis_url: "http://x" },
  { redis_url: "redis://x", expires: -1 },
  { redis_url: "redis://x", expire: 1 },
])("the options %o are refused", (options) => {
  expect(redisStorage.options.safeParse(options).success).toBe(false);
});
