import { silent } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import {
  bytesOf,
  claimFrom,
  claimOne,
  contentOf,
  done,
  freshList,
  freshUuid,
  plainIndex,
  record,
  submission,
  submitOne,
} from "@vcon-server/core/backend/conformance/samples";
import { type RedisGroup, type RedisServer, startCluster, startRedis } from "@vcon-server/core/testing/servers/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedisBackend } from "./index.ts";

let server: RedisServer;
let cluster: RedisGroup;

beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startCluster()]);
});
afterAll(async () => {
  await Promise.all([server?.stop(), cluster?.stop()]);
});

describe.each(["one server", "a cluster"])("%s at maxmemory", (kind) => {
  let backend: Backend;
  const servers = () => (kind === "one server" ? [server] : cluster.servers);
  const url = () => (kind === "one server" ? server.url : cluster.url);
  const limit = async (bytes: string) => {
    for (const { cli } of servers()) await cli("config", "set", "maxmemory", bytes);
  };
  /** Fills every server beyond its limit while `work` runs. */
  async function whenFull<T>(work: () => Promise<T>): Promise<T> {
    await limit("1mb");
    try {
      return await work();
    } finally {
      await limit("0");
    }
  }
  const change = (content: unknown, base = 1) => ({ base, bytes: bytesOf(content), index: plainIndex });

  beforeAll(async () => {
    backend = await openRedisBackend({ url: url(), log: silent });
    // known to the server before it is full, as they are in a service that runs
    const list = freshList();
    await submitOne(backend, [list]);
    await backend.settle([done(await claimOne(backend, list))]);
  });
  afterAll(() => backend.close());

  test("intake is refused, and leaves nothing behind", async () => {
    const list = freshList();
    const uuid = freshUuid();
    await whenFull(async () => {
      const full = expect.objectContaining({ code: "VCON_BACKEND_FULL", retryable: true });
      await expect(backend.submit([submission(uuid, { lists: [list] })])).rejects.toThrow(full);
      await expect(backend.push(list, [uuid])).rejects.toThrow(full);
      await expect(backend.restore({ uuid, bytes: bytesOf({}), index: plainIndex, ttl: 1_000 })).rejects.toThrow(full);
    });
    expect(await backend.read([uuid])).toEqual([undefined]);
    expect(await backend.depths([list])).toEqual([0]);
    expect((await backend.submit([submission(uuid, { lists: [list] })]))[0]?.kind).toBe("created");
  });

  test("intake into a list that workers consume is refused too", async () => {
    const list = freshList();
    await claimFrom(backend, list);
    await whenFull(() =>
      expect(backend.push(list, [freshUuid()])).rejects.toThrow(expect.objectContaining({ code: "VCON_BACKEND_FULL" })),
    );
    expect(await backend.depths([list])).toEqual([0]);
  });

  test("runs are claimed, kept alive, checkpointed, committed and sent on", async () => {
    const list = freshList();
    const uuid = await submitOne(backend, [list], { index: { createdAt: 1, terms: [`name:old ${list}`] } });
    await whenFull(async () => {
      const run = await claimOne(backend, list);
      await backend.heartbeat("owner-1", [list]);
      const checkpoint = { config: "c", index: 1, link: "l", attempt: 0, sendTo: [], json: "{}" };
      expect(await backend.checkpoint([{ lease: run, checkpoint }])).toEqual(["ok"]);
      const index = { createdAt: 2, terms: [`name:new ${list}`] as const };
      const ending = done(run, {
        change: { ...change({ drained: true }), index },
        sendTo: [`${list}_to`],
        egress: [`${list}_out`],
      });
      expect(await backend.settle([ending])).toMatchObject([{ kind: "ok", rev: 2 }]);
      expect(contentOf((await backend.read([uuid]))[0]?.bytes)).toEqual({ drained: true });
      expect(await backend.search([`name:new ${list}`])).toEqual([uuid]);
      expect(await backend.search([`name:old ${list}`])).toEqual([]);
      expect(await backend.pop(`${list}_to`, 5)).toEqual([uuid]);
      expect(await backend.pop(`${list}_out`, 5)).toEqual([uuid]);
    });
  });

  test("storages are served, retried, given up and put back", async () => {
    const list = freshList();
    const dlq = `${list}_dlq`;
    const uuid = await submitOne(backend, [list]);
    await whenFull(async () => {
      const run = await claimOne(backend, list);
      const settled = await backend.settle([
        done(run, { change: change({}), storages: ["a", "b"], required: ["a", "b"], egress: [`${list}_out`] }),
      ]);
      expect(settled).toMatchObject([{ kind: "ok" }]);
      const report = (storage: string) => ({ uuid, storage, action: "save" as const, rev: 2 });
      const again = { kind: "again" as const, delay: 0, code: "X", message: "y", counts: true };
      await backend.settleDeliveries([{ ...report("a"), result: again }]);
      expect(
        (await backend.claimDeliveries(100, 60_000)).some((task) => task.uuid === uuid && task.storage === "a"),
      ).toBe(true);
      const letter = record(run, { kind: "storage", storage: "b" });
      await backend.settleDeliveries([{ ...report("b"), result: { kind: "dead", dlq, record: letter } }]);
      expect(await backend.deadLetters({ dlq, offset: 0, limit: 5 })).toHaveLength(1);
      expect(await backend.reprocess(dlq, 1, { fallback: list })).toBe(1);
      await backend.settleDeliveries([
        { ...report("a"), result: { kind: "done" } },
        { ...report("b"), result: { kind: "done" } },
      ]);
      expect(await backend.peek(`${list}_out`, 0, 5)).toEqual([uuid]);
    });
  });

  test("failures are dead-lettered, retries parked, entries given back, leases taken away, vCons deleted", async () => {
    const list = freshList();
    for (let n = 0; n < 5; n++) await submitOne(backend, [list]);
    await whenFull(async () => {
      const { runs } = await claimFrom(backend, list, { owner: "o" });
      const [dead, later, release, gone, stray] = runs as [
        (typeof runs)[0],
        (typeof runs)[0],
        (typeof runs)[0],
        (typeof runs)[0],
        (typeof runs)[0],
      ];
      const results = await backend.settle([
        { kind: "dead", lease: dead, change: change({}), dlq: `${list}_dlq`, record: record(dead) },
        {
          kind: "later",
          lease: later,
          delay: 0,
          attempt: 1,
          checkpoint: { config: "c", index: 1, link: "l", attempt: 1, sendTo: [] },
        },
        { kind: "release", lease: release },
      ]);
      expect(results.map((result) => result.kind)).toEqual(["ok", "ok", "ok"]);
      expect(await backend.remove(gone.uuid, ["archive"])).toBe(true);
      expect(await backend.giveBack("o", [list], [gone])).toBe(1);
      expect(await backend.abandon("o", [list])).toBe(1);
      expect((await backend.deadLetters({ dlq: `${list}_dlq`, offset: 0, limit: 5 }))[0]?.uuid).toBe(dead.uuid);
      const next = await claimFrom(backend, list, { owner: "p" });
      expect(next.runs.map(({ uuid }) => uuid).toSorted()).toEqual([later.uuid, release.uuid, stray.uuid].toSorted());
      await backend.repair();
    });
  });
});
