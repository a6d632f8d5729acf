import { silent } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import {
  claimFrom,
  claimOne,
  done,
  freshList,
  freshUuid,
  record,
  submission,
  submitOne,
} from "@vcon-server/core/backend/conformance/samples";
import { breakable, eventually, stage, step, tagging } from "@vcon-server/core/engine/conformance";
import { type RedisServer, startCluster, startRedis } from "@vcon-server/core/testing/servers/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedisBackend } from "./index.ts";
import { dueKey, dueShard } from "./keys.ts";

/** Keys of which another program keeps something else: one entry's fault must stay that entry's. */

const OTHER_TYPES = [
  ["hash", "HSET", "field"],
  ["list", "RPUSH", "item"],
  ["set", "SADD", "member"],
  ["zset", "ZADD", "1"],
] as const;

let server: RedisServer;
let backend: Backend;
beforeAll(async () => {
  server = await startRedis();
  backend = await openRedisBackend({ url: server.url, log: silent, leaseMs: 1_500 });
});
afterAll(async () => {
  await backend?.close();
  await server?.stop();
});

/** Puts a value of another type under a key, in the place of what is there. */
async function occupy(key: string, command = "RPUSH", argument = "item") {
  await server.cli("DEL", key);
  await server.cli(command, key, argument, ...(command === "HSET" || command === "ZADD" ? ["x"] : []));
}

const keyFault = (...words: string[]) =>
  expect.objectContaining({
    code: "VCON_BACKEND_KEY",
    message: expect.stringMatching(new RegExp(words.map((word) => `(?=.*${word})`).join(""))),
  });

describe("a worker", () => {
  test.each(OTHER_TYPES)(
    "runs on when vcon:<uuid> is a %s, and that entry is a dead letter",
    async (name, command, argument) => {
      const on = stage(backend, [step(tagging("a"))]);
      const before = await on.submit();
      const foreign = freshUuid();
      await occupy(`vcon:${foreign}`, command, argument);
      await server.cli("LPUSH", on.list, foreign);
      const running = await on.worker();
      const after = await on.submit();
      await eventually(async () => expect(await backend.peek(on.egress, 0, 9)).toEqual([before, after]));
      await eventually(async () => expect(await on.deadLetters()).toHaveLength(1));
      await running.stop();
      expect(await on.deadLetters()).toMatchObject([
        { uuid: foreign, record: { kind: "load", code: "VCON_BACKEND_KEY", message: expect.stringContaining(name) } },
      ]);
      await expect(backend.read([foreign])).rejects.toEqual(keyFault(`vcon:${foreign}`, name));
    },
  );

  test("runs on when what is kept beside a vCon is of another type: meta, or deliveries", async () => {
    const kept = breakable(freshList("kept"));
    const on = stage(backend, [step(tagging("a"))], {}, [kept.plan]);
    const [first, meta, deliveries, last] = [
      await on.submit(),
      await on.submit(),
      await on.submit(),
      await on.submit(),
    ];
    await occupy(`vcs:{vcon:${meta}}:meta`);
    await occupy(`vcs:{vcon:${deliveries}}:deliveries`);
    const running = await on.worker();
    await eventually(async () =>
      expect((await backend.peek(on.egress, 0, 9)).toSorted()).toEqual([first, last].toSorted()),
    );
    await eventually(async () => expect(await on.deadLetters()).toHaveLength(2));
    const letters = await on.deadLetters();
    expect(letters.map(({ uuid, record: letter }) => [uuid, letter?.code])).toEqual(
      expect.arrayContaining([meta, deliveries].map((uuid) => [uuid, "VCON_BACKEND_KEY"])),
    );
    await running.stop();
    expect(await claimFrom(backend, on.list)).toEqual({ runs: [], suspects: 0 });
  });

  test("gives the delivery of a working copy that became something else up, and goes on with the others", async () => {
    const kept = breakable(freshList("kept"));
    kept.state.broken = true;
    const on = stage(backend, [], {}, [kept.plan]);
    const [bad, good] = [await on.submit(), await on.submit()];
    const running = await on.worker();
    await eventually(async () => expect(kept.state.saves).toBeGreaterThan(1));
    await occupy(`vcon:${bad}`);
    kept.state.broken = false;
    await eventually(async () => expect([...kept.kept.keys()]).toContain(good));
    await eventually(async () =>
      expect(await on.deadLetters()).toMatchObject([
        { uuid: bad, record: { kind: "storage", code: "VCON_BACKEND_KEY", storage: kept.plan.name } },
      ]),
    );
    await running.stop();
  });
});

describe("an entry whose working copy is not there", () => {
  test("says in its dead letter that it was there, and that it was removed", async () => {
    const on = stage(backend, [step(tagging("a"))]);
    const uuid = await on.submit();
    await server.cli("DEL", `vcon:${uuid}`);
    const running = await on.worker();
    await eventually(async () => expect(await on.deadLetters()).toHaveLength(1));
    await running.stop();
    const message = expect.stringMatching(/\(revision 1\) has vanished .*another program removed its key/);
    expect(await on.deadLetters()).toMatchObject([{ uuid, record: { code: "VCON_NOT_LOADED", message } }]);
  });

  test("says in its dead letter that Redis evicts, and what to set", async () => {
    const evicting = await startRedis({ maxmemory: "6mb", settings: { "maxmemory-policy": "volatile-lru" } });
    const there = await openRedisBackend({ url: evicting.url, log: silent });
    const on = stage(there, [step(tagging("a"))]);
    const uuid = await on.submit();
    // of all keys only this one may be evicted
    await evicting.cli("EXPIRE", `vcon:${uuid}`, "3600");
    await evicting
      .cli("EVAL", "for n = 1, 100 do redis.call('SET', 'ballast' .. n, string.rep('x', 100000)) end", "0")
      .catch(String);
    expect(await evicting.cli("EXISTS", `vcon:${uuid}`)).toBe("0");
    for (let n = 1; n <= 100; n++) await evicting.cli("DEL", `ballast${n}`);
    const running = await on.worker();
    await eventually(async () => expect(await on.deadLetters()).toHaveLength(1));
    await running.stop();
    const message = expect.stringMatching(
      /\(revision 1\) has vanished .*evicted 1 keys.*volatile-lru.*set maxmemory-policy noeviction/,
    );
    expect(await on.deadLetters()).toMatchObject([{ uuid, record: { code: "VCON_NOT_LOADED", message } }]);
    await there.close();
    await evicting.stop();
  });
});

describe("the sorted set of all vCons", () => {
  test("is named with a remedy that fits when it is of another type, and its submission is stored once put right", async () => {
    const sortedSetName = freshList();
    const there = await openRedisBackend({ url: server.url, log: silent, sortedSetName });
    await server.cli("SET", sortedSetName, "text");
    const uuid = freshUuid();
    await expect(there.submit([submission(uuid)])).rejects.toEqual(keyFault(sortedSetName, "VCON_SORTED_SET_NAME"));
    await server.cli("DEL", sortedSetName);
    expect(await there.submit([submission(uuid)])).toMatchObject([{ kind: "created" }]);
    await there.close();
  });
});

describe("batches", () => {
  test("submissions: the others are stored, the one at fault says its key", async () => {
    const [bad, good, list] = [freshUuid(), freshUuid(), freshList()];
    await occupy(`vcs:{vcon:${bad}}:meta`);
    const failure = await backend
      .submit([submission(bad, { lists: [list] }), submission(good, { lists: [list] })])
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "VCON_BACKEND_KEY",
      results: [keyFault(`vcs:{vcon:${bad}}:meta`), { kind: "created", rev: 1, queued: 1 }],
    });
    expect(await backend.peek(list, 0, 9)).toEqual([good]);
  });

  test("uuids are queued although something else stands beside one of them", async () => {
    const list = freshList();
    const [bad, good] = [await submitOne(backend, []), await submitOne(backend, [])];
    await claimFrom(backend, list);
    await occupy(`vcs:{vcon:${bad}}:meta`);
    await backend.push(list, [bad, good]);
    const { runs } = await claimFrom(backend, list);
    expect(runs.map(({ uuid, fault }) => [uuid, fault?.code])).toEqual([
      [bad, "VCON_BACKEND_KEY"],
      [good, undefined],
    ]);
    await backend.settle(runs.map((run) => done(run)).filter(({ lease }) => lease.uuid === good));
  });

  test("leases of a list that holds something else in their place keep no other list from being worked on", async () => {
    const [bad, good] = [freshList(), freshList()];
    await submitOne(backend, [bad]);
    const uuid = await submitOne(backend, [good]);
    await occupy(`vcs:{${bad}}:runs`);
    await occupy(`vcs:{${bad}}:owners`);
    const lists = [bad, good].map((name) => ({ name, chain: "c", max: 5 }));
    const { runs } = await backend.claim({ owner: "o", lists, suspects: false });
    expect(runs.map((run) => run.uuid)).toEqual([uuid]);
    await backend.heartbeat("o", [bad, good]);
    expect(await backend.giveBack("o", [bad, good], runs)).toBe(0);
    expect(await backend.suspects([bad, good])).toEqual([0, 0]);
    expect(await backend.settle(runs.map((run) => done(run)))).toMatchObject([{ kind: "ok" }]);
    expect(await backend.abandon("o", [bad, good])).toBe(0);
  });

  test("a shard of due deliveries that holds something else is told once until it has been put right", async () => {
    const lines: string[] = [];
    const log = { ...silent, error: (message: string) => void lines.push(message) };
    const there = await openRedisBackend({ url: server.url, log });
    for (const times of [1, 2]) {
      await occupy(dueShard(3));
      for (let looks = 0; looks < 3; looks++) await there.claimDeliveries(1, 60_000);
      expect(lines).toHaveLength(times);
      await server.cli("DEL", dueShard(3));
      await there.claimDeliveries(1, 60_000);
    }
    await there.close();
  });

  test("a shard of due deliveries that holds something else keeps only its own waiting", async () => {
    const list = freshList();
    const uuids = await Promise.all(Array.from({ length: 12 }, () => submitOne(backend, [list])));
    const { runs } = await claimFrom(backend, list, { max: 20 });
    await backend.settle(runs.map((run) => done(run, { storages: ["s"], required: ["s"], deliveryLease: 1 })));
    const shard = dueKey(uuids[0] as string);
    await occupy(shard);
    const waiting = uuids.filter((uuid) => dueKey(uuid) !== shard);
    const taken = new Set<string>();
    await eventually(async () => {
      for (const { uuid } of await backend.claimDeliveries(50, 60_000)) taken.add(uuid);
      expect(waiting.filter((uuid) => !taken.has(uuid))).toEqual([]);
    });
    await backend.backlog();
    await server.cli("DEL", shard);
  });
});

describe("dead letters", () => {
  test("a list that is none keeps only its own entry leased, which loses nothing, and is written once put right", async () => {
    const [list, out, dlq] = [freshList(), freshList(), freshList()];
    const [bad, good] = [await submitOne(backend, [list]), await submitOne(backend, [list])];
    const { runs } = await claimFrom(backend, list);
    await occupy(dlq, "SADD");
    const endings = runs.map((run) =>
      run.uuid === bad ? { kind: "dead" as const, lease: run, dlq, record: record(run) } : done(run, { sendTo: [out] }),
    );
    await expect(backend.settle(endings)).rejects.toMatchObject({ results: [keyFault(dlq), { kind: "ok" }] });
    expect(await backend.peek(out, 0, 9)).toEqual([good]);
    await server.cli("DEL", dlq);
    await backend.settle(endings.slice(0, 1));
    expect(await backend.deadLetters({ dlq, offset: 0, limit: 9 })).toMatchObject([
      { uuid: bad, record: { uuid: bad } },
    ]);
  });

  test("an end that cannot be carried out does not keep other entries from being claimed", async () => {
    const [list, out] = [freshList(), freshList()];
    await occupy(out, "SADD");
    const stuck = await claimOne(backend, list).catch(() => undefined);
    expect(stuck).toBeUndefined();
    const uuid = await submitOne(backend, [list]);
    const run = await claimOne(backend, list);
    await expect(backend.settle([done(run, { sendTo: [out] })])).rejects.toEqual(keyFault(out));
    await backend.settle([{ kind: "later", lease: run, delay: 0, attempt: 0 }]);
    const next = await submitOne(backend, [list]);
    expect((await claimFrom(backend, list)).runs.map((each) => each.uuid)).toEqual([next]);
    expect(uuid).not.toBe(next);
  });

  test("an end that one of its lists stands in the way of is repeated without another push to the lists in order", async () => {
    const [list, good, bad] = [freshList(), freshList(), freshList()];
    const uuid = await submitOne(backend, [list]);
    const run = await claimOne(backend, list);
    await occupy(bad, "SADD");
    const ending = done(run, { sendTo: [good, bad] });
    for (let tries = 0; tries < 3; tries++) await expect(backend.settle([ending])).rejects.toEqual(keyFault(bad));
    await server.cli("DEL", bad);
    expect(await backend.settle([ending])).toMatchObject([{ kind: "ok" }]);
    expect([await backend.peek(good, 0, 9), await backend.peek(bad, 0, 9)]).toEqual([[uuid], [uuid]]);
  });

  test("a delivered vCon that one of its lists stands in the way of is sent to each list once", async () => {
    const [list, good, bad] = [freshList(), freshList(), freshList()];
    const uuid = await submitOne(backend, [list]);
    const run = await claimOne(backend, list);
    const storages = ["a", "b"];
    await backend.settle([done(run, { storages, required: ["a"], egress: [good, bad], deliveryLease: 60_000 })]);
    await occupy(bad, "SADD");
    const delivered = (storage: string) =>
      backend.settleDeliveries([{ uuid, storage, action: "save", rev: 1, result: { kind: "done" } }]);
    await delivered("a");
    expect(await backend.peek(good, 0, 9)).toEqual([]);
    await server.cli("DEL", bad);
    await server.cli("ZADD", dueKey(uuid), "0", `${uuid} a`);
    await backend.claimDeliveries(50, 60_000);
    expect([await backend.peek(good, 0, 9), await backend.peek(bad, 0, 9)]).toEqual([[uuid], [uuid]]);
  });

  test("unreadable records are read as none", async () => {
    const [list, dlq] = [freshList(), freshList()];
    await submitOne(backend, [list]);
    const run = await claimOne(backend, list);
    await backend.settle([{ kind: "dead", lease: run, dlq, record: record(run) }]);
    const [field] = (await server.cli("HKEYS", `vcs:{${dlq}}:records`))
      .split("\n")
      .filter((name) => name.startsWith("r:"));
    await server.cli("HSET", `vcs:{${dlq}}:records`, field as string, "{");
    expect(await backend.deadLetters({ dlq, offset: 0, limit: 9 })).toEqual([{ uuid: run.uuid, record: undefined }]);
    expect(await backend.reprocess(dlq, 5, { fallback: list })).toBe(1);
  });
});

describe("on Cluster", () => {
  test("one vCon's keys of another type stop neither claims nor intents of others", async () => {
    const cluster = await startCluster();
    const url = cluster.url;
    const there = await openRedisBackend({ url, log: silent });
    const cli = (...args: string[]) => (cluster.servers[0] as RedisServer).cli("-c", ...args);
    const list = freshList();
    const [bad, meta] = [freshUuid(), freshUuid()];
    await cli("HSET", `vcon:${bad}`, "a", "b");
    await cli("RPUSH", `vcs:{vcon:${meta}}:meta`, "x");
    await cli("RPUSH", list, bad, meta);
    const good = await submitOne(there, [list]);
    const { runs } = await claimFrom(there, list);
    expect(runs.map(({ uuid, fault }) => [uuid, fault?.code])).toEqual([
      [bad, "VCON_BACKEND_KEY"],
      [meta, "VCON_BACKEND_KEY"],
      [good, undefined],
    ]);
    for (let shard = 0; shard < 16; shard++) await cli("ZADD", `vcs:intents:{${shard}}`, "1", "no intent");
    await there.repair();
    expect(await cli("ZCARD", "vcs:intents:{3}")).toBe("0");
    await there.close();
    await cluster.stop();
  });

  test("a submission that one of its lists stands in the way of is queued once in each when that is put right", async () => {
    const cluster = await startCluster();
    const there = await openRedisBackend({ url: cluster.url, log: silent });
    const cli = (...args: string[]) => (cluster.servers[0] as RedisServer).cli("-c", ...args);
    const [good, bad] = [freshList(), freshList()];
    const uuid = freshUuid();
    await cli("SADD", bad, "x");
    await expect(there.submit([submission(uuid, { lists: [good, bad] })])).rejects.toEqual(keyFault(bad));
    expect(await there.peek(good, 0, 9)).toEqual([]);
    const repairWithoutPatience = async () => {
      for (let shard = 0; shard < 16; shard++) {
        const intent = await cli("ZRANGE", `vcs:intents:{${shard}}`, "0", "0");
        if (intent !== "") await cli("ZADD", `vcs:intents:{${shard}}`, "1", intent);
      }
      await there.repair();
    };
    await repairWithoutPatience();
    expect(await there.peek(good, 0, 9)).toEqual([]);
    await cli("DEL", bad);
    await repairWithoutPatience();
    expect([await there.peek(good, 0, 9), await there.peek(bad, 0, 9)]).toEqual([[uuid], [uuid]]);
    await there.close();
    await cluster.stop();
  });
});
