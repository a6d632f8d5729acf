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
  submission,
  submitOne,
} from "@vcon-server/core/backend/conformance/samples";
import { type RedisServer, startRedis } from "@vcon-server/core/testing/servers/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedisBackend } from "./index.ts";

let server: RedisServer;
let backend: Backend;

beforeAll(async () => {
  server = await startRedis();
  backend = await openRedisBackend({ url: server.url, log: silent });
});
afterAll(async () => {
  await backend?.close();
  await server?.stop();
});

const change = (content: unknown, base: number | `x${string}`) => ({
  base,
  bytes: bytesOf(content),
  index: plainIndex,
});

/** A document another program stored and queued with redis-cli. */
async function neighbour(content = '{"by":"them"}') {
  const [list, uuid] = [freshList(), freshUuid()];
  await server.cli("set", `vcon:${uuid}`, content, "EX", "3600");
  await server.cli("rpush", list, uuid);
  return { list, uuid };
}

describe("documents other programs wrote", () => {
  test("are told apart by their content, and change their revision with it", async () => {
    const { uuid } = await neighbour('{"n":1}');
    const [first] = await backend.read([uuid]);
    expect(first?.rev).toMatch(/^x[0-9a-f]{16}$/);
    expect(first?.submitted).toBeUndefined();
    await server.cli("set", `vcon:${uuid}`, '{"n":2}');
    const [second] = await backend.read([uuid]);
    expect(second?.rev).toMatch(/^x[0-9a-f]{16}$/);
    expect(second?.rev).not.toBe(first?.rev);
  });

  test("are claimed after a bare RPUSH, do not expire while leased, and are ours after the first commit", async () => {
    const { list, uuid } = await neighbour();
    const run = await claimOne(backend, list);
    expect(contentOf(run.document?.bytes)).toEqual({ by: "them" });
    expect(await server.cli("ttl", `vcon:${uuid}`)).toBe("-1");
    const rev = run.document?.rev as `x${string}`;
    expect(await backend.settle([done(run, { change: change({ by: "us" }, rev) })])).toMatchObject([
      { kind: "ok", rev: 1 },
    ]);
    expect((await backend.read([uuid]))[0]?.rev).toBe(1);
    expect(await backend.list({ offset: 0, limit: 1_000 })).toContain(uuid);
  });

  test("do not expire while they wait in a list that is worked on, also behind thousands of others", async () => {
    const list = freshList();
    const uuids = Array.from({ length: 1_200 }, () => freshUuid());
    const words = uuids.flatMap((uuid) => ["vcon:", uuid]);
    await server.cli(
      "eval",
      "for at = 2, #ARGV, 2 do redis.call('SET', 'vcon:' .. ARGV[at], '{}', 'EX', 3600) redis.call('RPUSH', KEYS[1], ARGV[at]) end",
      "1",
      list,
      ...words,
    );
    const ours = await submitOne(backend, []);
    await server.cli("expire", `vcon:${ours}`, "3600");
    await server.cli("rpush", list, ours);
    await claimFrom(backend, list, { max: 1 });
    const last = uuids.at(-1);
    await expect.poll(() => server.cli("ttl", `vcon:${last}`)).toBe("-1");
    expect(await server.cli("ttl", `vcon:${uuids[600]}`)).toBe("-1");
    expect(Number(await server.cli("ttl", `vcon:${ours}`))).toBeGreaterThan(0);
  });

  test("a write of theirs during a run is a conflict", async () => {
    const { list, uuid } = await neighbour();
    const run = await claimOne(backend, list);
    await server.cli("set", `vcon:${uuid}`, '{"by":"them again"}');
    const rev = run.document?.rev as `x${string}`;
    const [conflict] = await backend.settle([done(run, { change: change({ by: "us" }, rev) })]);
    expect(conflict?.kind === "conflict" && contentOf(conflict.current?.bytes)).toEqual({ by: "them again" });
    const current = conflict?.kind === "conflict" ? (conflict.current?.rev as `x${string}`) : "x";
    expect(await backend.settle([done(run, { change: change({ by: "both" }, current) })])).toMatchObject([
      { kind: "ok", rev: 1 },
    ]);
  });

  test("become ours, unchanged, when storages are to count their revisions", async () => {
    const { list, uuid } = await neighbour();
    const run = await claimOne(backend, list);
    expect(await backend.settle([done(run, { storages: ["archive"], required: ["archive"] })])).toMatchObject([
      { kind: "ok", rev: 1, deliver: ["archive"] },
    ]);
    expect(
      await backend.settleDeliveries([{ uuid, storage: "archive", action: "save", rev: 1, result: { kind: "done" } }]),
    ).toEqual([{ kind: "settled" }]);
  });

  test("are replaced under If-Match only while they are what was read", async () => {
    const { uuid } = await neighbour();
    const [found] = await backend.read([uuid]);
    const match = [found?.rev as `x${string}`];
    await server.cli("set", `vcon:${uuid}`, '{"by":"them again"}');
    const [refused] = await backend.submit([submission(uuid, { content: {}, precondition: { match } })]);
    const [now] = await backend.read([uuid]);
    expect(refused).toEqual({ kind: "refused", rev: now?.rev });
    const fresh = [now?.rev as `x${string}`];
    expect((await backend.submit([submission(uuid, { content: {}, precondition: { match: fresh } })]))[0]?.kind).toBe(
      "replaced",
    );
  });

  test("a working copy whose key somebody removed during a run is written again", async () => {
    const list = freshList();
    const uuid = await submitOne(backend, [list]);
    const run = await claimOne(backend, list);
    await server.cli("del", `vcon:${uuid}`);
    expect(await backend.settle([done(run, { change: change({ only: "copy" }, 1) })])).toMatchObject([
      { kind: "ok", rev: 2 },
    ]);
    expect(contentOf((await backend.read([uuid]))[0]?.bytes)).toEqual({ only: "copy" });
  });
});

describe("the index as other programs keep it", () => {
  test("members are written as the Python server reads them, by submission, commit and restoration", async () => {
    const list = freshList();
    const created = { index: { createdAt: 4_000_000_000, terms: [] } };
    const uuid = await submitOne(backend, [list], created);
    const restored = freshUuid();
    await backend.restore({ uuid: restored, bytes: Buffer.from("{}"), ...created, ttl: 60_000 });
    const members = async () => (await server.cli("zrangebyscore", "vcons", "4000000000", "4000000001")).split("\n");
    expect((await members()).toSorted()).toEqual([`vcon:${uuid}`, `vcon:${restored}`].toSorted());
    const run = await claimOne(backend, list);
    const index = { createdAt: 4_000_000_001, terms: [] };
    await backend.settle([done(run, { change: { ...change({}, 1), index } })]);
    expect((await members()).toSorted()).toEqual([`vcon:${uuid}`, `vcon:${restored}`].toSorted());
    await backend.remove(uuid, []);
    expect(await members()).toEqual([`vcon:${restored}`]);
  });

  test("members of both forms are listed once and leave with the vCon", async () => {
    const uuid = await submitOne(backend, [], { index: { createdAt: 4_100_000_000, terms: [] } });
    await server.cli("zadd", "vcons", "4100000000", uuid);
    await server.cli("zadd", "vcons", "4100000000", `vcon:${uuid}`);
    const query = { since: 4_100_000_000, until: 4_100_000_000, offset: 0, limit: 10 };
    expect(await backend.list(query)).toEqual([uuid]);
    await backend.remove(uuid, []);
    expect(await backend.list(query)).toEqual([]);
    expect(await server.cli("zcount", "vcons", "4100000000", "4100000000")).toBe("0");
  });

  test("what expired leaves the index when somebody looks, and when repair passes by", async () => {
    const terms = [`tel:+1${freshList()}`] as const;
    const expired = await submitOne(backend, [], { index: { createdAt: 4_200_000_000, terms } });
    const kept = await submitOne(backend, [], { index: { createdAt: 4_200_000_000, terms } });
    await server.cli("del", `vcon:${expired}`);
    expect(await backend.search(terms)).toEqual([kept]);
    expect(await server.cli("scard", terms[0])).toBe("1");
    await server.cli("zadd", "vcons", "1", freshUuid());
    const before = Number(await server.cli("zcard", "vcons"));
    for (let round = 0; round < 10; round++) await backend.repair();
    expect(Number(await server.cli("zcard", "vcons"))).toBeLessThan(before);
    expect(await backend.list({ since: 4_200_000_000, until: 4_200_000_000, offset: 0, limit: 10 })).toEqual([kept]);
  });

  test("list() pages over what expired", async () => {
    const uuids = [];
    for (let n = 0; n < 12; n++)
      uuids.push(await submitOne(backend, [], { index: { createdAt: 4_300_000_000 + n, terms: [] } }));
    for (const uuid of uuids.slice(3, 9)) await server.cli("del", `vcon:${uuid}`);
    const page = (offset: number) => backend.list({ since: 4_300_000_000, until: 4_300_000_100, offset, limit: 3 });
    const left = [...uuids.slice(0, 3), ...uuids.slice(9)].toReversed();
    expect([...(await page(0)), ...(await page(3)), ...(await page(6))]).toEqual(left);
  });

  test("an index set that somebody keeps as something else does not stop a vCon", async () => {
    const tag = freshList();
    await server.cli("set", `name:${tag}`, "mine");
    const list = freshList();
    const uuid = await submitOne(backend, [list], { index: { createdAt: 1, terms: [`name:${tag}`] } });
    const run = await claimOne(backend, list);
    const index = { createdAt: 2, terms: [`name:${tag}`, `name:other ${tag}`] as const };
    expect(await backend.settle([done(run, { change: { ...change({}, 1), index } })])).toMatchObject([{ kind: "ok" }]);
    expect(await backend.search([`name:other ${tag}`])).toEqual([uuid]);
  });
});

describe("keys of another type", () => {
  test("an ingress list that is none does not keep the others from being worked on", async () => {
    const [bad, good] = [freshList(), freshList()];
    await server.cli("set", bad, "mine");
    const uuid = await submitOne(backend, [good]);
    const lists = [bad, good].map((name) => ({ name, chain: "c", max: 5 }));
    const { runs } = await backend.claim({ owner: "o", lists, suspects: false });
    expect(runs.map((run) => run.uuid)).toEqual([uuid]);
    expect(await backend.depths([bad])).toEqual([0]);
    expect(await backend.peek(bad, 0, 5)).toEqual([]);
  });

  test("a submission to a list that is none is refused by name, and stores nothing", async () => {
    const [bad, good, uuid] = [freshList(), freshList(), freshUuid()];
    await server.cli("set", bad, "mine");
    const refused = expect.objectContaining({ code: "VCON_BACKEND_KEY", message: expect.stringContaining(bad) });
    await expect(backend.submit([submission(uuid, { lists: [good, bad] })])).rejects.toThrow(refused);
    expect(await backend.read([uuid])).toEqual([undefined]);
    expect(await backend.depths([good])).toEqual([0]);
  });

  test("a run that cannot send on keeps its lease; put right, whoever has it next finishes it without running it", async () => {
    const [list, out] = [freshList(), freshList()];
    await server.cli("set", out, "mine");
    const uuid = await submitOne(backend, [list]);
    const other = await submitOne(backend, [list]);
    const { runs } = await claimFrom(backend, list);
    const [stuck, fine] = runs.map((run) =>
      done(run, { change: change({ done: 1 }, 1), sendTo: run.uuid === uuid ? [out] : [`${out}_fine`] }),
    );
    const refused = expect.objectContaining({ code: "VCON_BACKEND_KEY", message: expect.stringContaining(out) });
    await expect(backend.settle([stuck, fine].flatMap((ending) => ending ?? []))).rejects.toThrow(refused);
    expect(await backend.peek(`${out}_fine`, 0, 5)).toEqual([other]);
    expect(contentOf((await backend.read([uuid]))[0]?.bytes)).toEqual({ done: 1 });
    await server.cli("del", out);
    expect(await backend.abandon("owner-1", [list])).toBe(1);
    expect((await claimFrom(backend, list, { suspects: true })).runs).toEqual([]);
    expect(await backend.peek(out, 0, 5)).toEqual([uuid]);
    expect(await backend.suspects([list])).toEqual([0]);
  });
});
