import { silent } from "@vcon-server/core";
import { freshList, freshUuid, plainIndex, submission, submitOne } from "@vcon-server/core/backend/conformance/samples";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { describe, expect, test } from "vitest";
import { isNewEnough, listDangers, warningsOf } from "./health.ts";
import { openRedisBackend } from "./index.ts";

describe("warnings", () => {
  const info = (facts: Readonly<Record<string, string>>) => new Map(Object.entries(facts));
  const safe = { aof_enabled: "1", maxmemory_policy: "noeviction", connected_slaves: "1" };
  const asked = { fsync: "always", waitForReplica: true };

  test("a server that keeps everything has none", () => {
    expect(warningsOf({ info: info(safe), fsync: "always" }, asked)).toEqual([]);
    expect(listDangers(info(safe))).toEqual([]);
  });

  test("an evicting server is a danger", () => {
    const words = expect.stringMatching(/allkeys-lru.*noeviction.*VCON_ALLOW_EVICTION=true/);
    expect(listDangers(info({ ...safe, maxmemory_policy: "allkeys-lru" }))).toEqual([words]);
  });

  test.each([
    [{ ...safe, aof_enabled: "0" }, asked, "appendonly yes"],
    [safe, { ...asked, fsync: "everysec" }, "appendfsync everysec"],
    [safe, { ...asked, fsync: undefined }, "appendfsync could not be checked"],
    [{ aof_enabled: "1", connected_slaves: "1" }, asked, "maxmemory-policy could not be checked"],
    [{ ...safe, connected_slaves: "0" }, asked, "REDIS_ACK"],
  ])("%j with %j names the remedy", (facts, { fsync, waitForReplica }, words) => {
    expect(warningsOf({ info: info(facts), fsync }, { waitForReplica })).toEqual([expect.stringContaining(words)]);
  });
});

test.each([
  ["6.2.0", true],
  ["7.0.15", true],
  ["10.1", true],
  ["6.0.16", false],
  ["5.0.7", false],
  ["", false],
])("version %s: new enough is %s", (version, fit) => {
  expect(isNewEnough(version)).toBe(fit);
});

describe("a real server", () => {
  test("tells version, latency, fill and what an operator should change", async () => {
    const server = await startRedis({ maxmemory: "64mb", settings: { "maxmemory-policy": "allkeys-lru" } });
    const backend = await openRedisBackend({ url: server.url, log: silent });
    const health = await backend.health();
    expect(health).toMatchObject({ kind: "redis", version: expect.stringMatching(/^\d+\.\d+/) });
    expect(health.latency).toBeGreaterThanOrEqual(0);
    expect(health.fill).toBeGreaterThan(0);
    expect(health.warnings).toHaveLength(1);
    expect(health.dangers).toHaveLength(1);
    await backend.close();
    await server.stop();
  });

  test("a user without CONFIG may run, and is told what could not be checked", async () => {
    const server = await startRedis({ appendonly: true });
    await server.cli("acl", "setuser", "plain", "on", ">secret", "~*", "&*", "+@all", "-@dangerous", "+info");
    const backend = await openRedisBackend({ url: server.url.replace("://", "://plain:secret@"), log: silent });
    const { warnings, dangers } = await backend.health();
    expect(warnings).toEqual([expect.stringContaining("appendfsync could not be checked")]);
    expect(dangers).toEqual([]);
    await backend.close();
    await server.stop();
  });

  test("where nothing can be written is not healthy: a replica, too few replicas, a user that may only read", async () => {
    const server = await startRedis();
    const replica = await startRedis({ settings: { replicaof: `127.0.0.1 ${server.port}` } });
    await server.cli(
      "acl",
      "setuser",
      "reader",
      "on",
      ">secret",
      "~*",
      "&*",
      "+@all",
      "-@dangerous",
      "+info",
      "-@write",
    );
    const open = (url: string) => openRedisBackend({ url, log: silent });
    const [second, reader, first] = await Promise.all([
      open(replica.url),
      open(server.url.replace("://", "://reader:secret@")),
      open(server.url),
    ]);
    await expect(second.health()).rejects.toMatchObject({
      code: "VCON_BACKEND_DOWN",
      message: expect.stringMatching(/read-only replica of 127.0.0.1:\d+.*name the master/),
    });
    await expect(reader.health()).rejects.toMatchObject({
      code: "VCON_BACKEND_UNFIT",
      message: expect.stringMatching(/'set' command.*\+set/),
    });
    await server.cli("config", "set", "min-replicas-to-write", "5");
    await expect(first.health()).rejects.toMatchObject({ code: "VCON_BACKEND_DOWN" });
    for (const backend of [first, second, reader]) await backend.close();
    await Promise.all([server.stop(), replica.stop()]);
  });

  test("a full one is healthy, since what is queued goes on, and says that it takes nothing in", async () => {
    const server = await startRedis();
    const backend = await openRedisBackend({ url: server.url, log: silent });
    await server.cli("config", "set", "maxmemory", "1");
    expect((await backend.health()).warnings.join()).toContain("takes nothing in");
    await backend.close();
    await server.stop();
  });

  test("settings: another sorted set, and index sets that expire", async () => {
    const server = await startRedis();
    const backend = await openRedisBackend({
      url: server.url,
      log: silent,
      sortedSetName: "mine",
      indexExpiry: 60_000,
    });
    const term = `tel:${freshList()}` as const;
    const index = { ...plainIndex, terms: [term] };
    const uuid = await submitOne(backend, [], { index });
    await backend.restore({ uuid: freshUuid(), bytes: Buffer.from("{}"), index, ttl: 60_000 });
    expect(await server.cli("zcard", "mine")).toBe("2");
    expect(Number(await server.cli("pttl", term))).toBeGreaterThan(0);
    await server.cli("persist", term);
    await backend.submit([submission(uuid, { content: { n: 2 }, index })]);
    expect(Number(await server.cli("pttl", term))).toBeGreaterThan(0);
    await backend.close();
    await server.stop();
  });
});
