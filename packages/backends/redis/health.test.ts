import { silent } from "@vcon-server/core";
import { freshList, freshUuid, plainIndex, submission, submitOne } from "@vcon-server/core/backend/conformance/samples";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { describe, expect, test } from "vitest";
import { isNewEnough, warningsOf } from "./health.ts";
import { openRedisBackend } from "./index.ts";

describe("warnings", () => {
  const info = (facts: Readonly<Record<string, string>>) => new Map(Object.entries(facts));
  const safe = { aof_enabled: "1", maxmemory_policy: "noeviction", connected_slaves: "1" };
  const asked = { fsync: "always", waitForReplica: true };

  test("a server that keeps everything has none", () => {
    expect(warningsOf(info(safe), asked)).toEqual([]);
  });

  test.each([
    [{ ...safe, aof_enabled: "0" }, asked, "appendonly yes"],
    [safe, { ...asked, fsync: "everysec" }, "appendfsync everysec"],
    [{ ...safe, maxmemory_policy: "allkeys-lru" }, asked, "allkeys-lru"],
    [{ ...safe, connected_slaves: "0" }, asked, "REDIS_ACK"],
  ])("%j with %j names the remedy", (facts, options, words) => {
    expect(warningsOf(info(facts), options)).toEqual([expect.stringContaining(words)]);
  });

  test("what a managed server does not tell is not held against it", () => {
    expect(warningsOf(info(safe), { fsync: undefined, waitForReplica: false })).toEqual([]);
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
    expect(health.warnings).toHaveLength(2);
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
