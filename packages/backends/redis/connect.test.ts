import { silent } from "@vcon-server/core";
import { submitOne } from "@vcon-server/core/backend/conformance/samples";
import { type RedisServer, startRedis, startSentinel } from "@vcon-server/core/testing/servers/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedisBackend } from "./index.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** Opens a backend that must be refused, and closes it where it is not. */
async function refusalFrom(url: string): Promise<unknown> {
  try {
    await (await openRedisBackend({ url, log: silent })).close();
    return "opened";
  } catch (error) {
    return error;
  }
}

const unfit = (...words: string[]) =>
  expect.objectContaining({
    code: "VCON_BACKEND_UNFIT",
    message: expect.stringMatching(new RegExp(words.map((word) => `(?=.*${word})`).join(""))),
  });

/** Waits until no client of ours is connected to the server any more. */
const leftConnections = ({ cli }: RedisServer) =>
  expect.poll(async () => (await cli("client", "list")).match(/name=vcon-server/g)?.length ?? 0).toBe(0);

describe("the database of the address", () => {
  test("one the server does not have is refused, and nothing is written to database 0", async () => {
    expect(await refusalFrom(`${server.url}/99`)).toEqual(unfit("out of range", "name a database"));
    expect(await server.cli("dbsize")).toBe("0");
    await leftConnections(server);
  });

  test("one the user may not select is refused with the right that is missing", async () => {
    await server.cli("acl", "setuser", "zero", "on", ">secret", "~*", "&*", "+@all", "-select");
    const url = server.url.replace("://", "://zero:secret@");
    expect(await refusalFrom(`${url}/3`)).toEqual(unfit("\\+select"));
    await leftConnections(server);
  });

  test("is that of every connection, as long as the server has it", async () => {
    const other = await startRedis({ settings: { databases: "20" } });
    const backend = await openRedisBackend({ url: `${other.url}/19`, log: silent });
    await submitOne(backend, ["in"]);
    await backend.waitForWork(["in", "other"], 10, new AbortController().signal);
    const databases = (await other.cli("client", "list")).split("\n").filter((line) => line.includes("vcon-server"));
    expect(databases.map((line) => /db=(\d+)/.exec(line)?.[1])).toEqual(["19", "19", "19"]);
    await other.restart({ databases: "16" });
    await expect.poll(() => submitOne(backend, ["in"]).catch((error) => error.code)).toBe("VCON_BACKEND_DOWN");
    expect(await other.cli("dbsize")).toBe("0");
    await other.restart({ databases: "20" });
    await expect
      .poll(() => submitOne(backend, ["in"]).then(String, () => "away"), { timeout: 10_000 })
      .not.toBe("away");
    expect(await other.cli("dbsize")).toBe("0");
    await backend.close();
    await other.stop();
  });
});

describe("an early failure leaves no connection behind", () => {
  test("a user without INFO: the right is named", async () => {
    await server.cli("acl", "setuser", "blind", "on", ">secret", "~*", "&*", "+@all", "-@dangerous");
    expect(await refusalFrom(server.url.replace("://", "://blind:secret@"))).toEqual(unfit("INFO", "\\+info"));
    await leftConnections(server);
  });

  test("a password where the server asks for none", async () => {
    expect(await refusalFrom(server.url.replace("://", "://:secret@"))).toEqual(unfit("take it out of REDIS_URL"));
    await leftConnections(server);
  });
});

describe("idle connections", () => {
  test("are kept alive where Redis closes them", async () => {
    const other = await startRedis({ settings: { timeout: "1" } });
    const told: string[] = [];
    const log = { ...silent, warn: (message: string) => told.push(message) };
    const backend = await openRedisBackend({ url: other.url, log });
    const connected = async () => /id=(\d+) .*name=vcon-server/.exec(await other.cli("client", "list"))?.[1];
    const id = await connected();
    const before = Number(/total_connections_received:(\d+)/.exec(await other.cli("info", "stats"))?.[1]);
    const idle = async () => Number(/uptime_in_seconds:(\d+)/.exec(await other.cli("info", "server"))?.[1]);
    const began = await idle();
    await expect.poll(idle, { timeout: 15_000 }).toBeGreaterThan(began + 4);
    expect(await connected()).toBe(id);
    expect(before).toBeGreaterThan(0);
    await submitOne(backend, ["in"]);
    expect(told).toEqual([]);
    await backend.close();
    await other.stop();
  });

  test("that are cut from outside are opened again without a log line, and no request fails", async () => {
    const told: string[] = [];
    const log = { ...silent, warn: (message: string) => told.push(message) };
    const backend = await openRedisBackend({ url: server.url, log });
    const onWarning = ({ name }: Error) => void told.push(name);
    process.on("warning", onWarning);
    const stop = new AbortController();
    const waiting: Promise<void>[] = [];
    for (let round = 0; round < 20; round++) {
      waiting.push(backend.waitForWork([`idle${round}`], 60_000, stop.signal));
      await server.cli("client", "kill", "type", "normal", "skipme", "yes");
      await submitOne(backend, ["in"]);
      await backend.waitForWork(["in"], 60_000, stop.signal);
    }
    stop.abort();
    await Promise.all(waiting);
    process.off("warning", onWarning);
    expect(told).toEqual([]);
    await backend.close();
  });
});

describe("Sentinel", () => {
  test("database, credentials and master group are checked, and each failure says what to change", async () => {
    const password = "s%41/+ e";
    const group = await startSentinel({ password });
    const url = `${group.url}?sentinel_password=${encodeURIComponent(password)}`;
    const backend = await openRedisBackend({ url, log: silent });
    await backend.close();
    expect(await refusalFrom(`${url}&db=99`)).toEqual(unfit("out of range"));
    expect(await refusalFrom(`${group.url}?sentinel_password=wrong`)).toEqual(unfit("sentinel_password"));
    expect(await refusalFrom(group.url)).toEqual(unfit("sentinel_password"));
    expect(await refusalFrom(url.replace("mymaster", "other"))).toEqual(unfit("correct its name"));
    await group.stop();
  });
});
