import { type LogFields, type Logger, silent } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import {
  bytesOf,
  claimFrom,
  claimOne,
  contentOf,
  done,
  freshList,
  plainIndex,
  submission,
  submitOne,
} from "@vcon-server/core/backend/conformance/samples";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import {
  type RedisGroup,
  type RedisServer,
  startCluster,
  startRedis,
  startSentinel,
} from "@vcon-server/core/testing/servers/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "./connect.ts";
import { openRedisBackend } from "./index.ts";
import { parseRedisUrl } from "./url.ts";

const down = expect.objectContaining({ code: "VCON_BACKEND_DOWN", retryable: true });
const change = (content: unknown, base: number) => ({ base, bytes: bytesOf(content), index: plainIndex });

/** Tries until it works; fails when it does not within the time any client would wait. */
async function eventually<T>(what: string, work: () => Promise<T>): Promise<T> {
  const until = Date.now() + 15_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > until) throw new Error(`${what} did not work again`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

function recorder() {
  const lines: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const note = (message: string, fields?: LogFields) => void lines.push({ message, fields });
  const log: Logger = { ...silent, info: note, warn: note, error: note };
  return { lines, log };
}

describe("opening", () => {
  test("a server that is not there is down, with its address", async () => {
    const port = await freePort();
    const opening = openRedisBackend({ url: `redis://127.0.0.1:${port}`, log: silent, commandTimeout: 300 });
    await expect(opening).rejects.toThrow(
      expect.objectContaining({ code: "VCON_BACKEND_DOWN", message: expect.stringContaining(String(port)) }),
    );
  });

  test("a cluster that is not there is down", async () => {
    const port = await freePort();
    const opening = openRedisBackend({ url: `redis+cluster://127.0.0.1:${port}`, log: silent, commandTimeout: 300 });
    await expect(opening).rejects.toThrow(down);
  });

  test("a server that refuses the credentials cannot be used; the right ones work", async () => {
    const server = await startRedis({ password: "s3cret/@" });
    const at = (user: string) => openRedisBackend({ url: `redis://${user}127.0.0.1:${server.port}`, log: silent });
    const unfit = expect.objectContaining({
      code: "VCON_BACKEND_UNFIT",
      message: expect.stringContaining("REDIS_URL"),
    });
    await expect(at("")).rejects.toThrow(unfit);
    await expect(at(":wrong@")).rejects.toThrow(unfit);
    const backend = await at(`:${encodeURIComponent("s3cret/@")}@`);
    expect((await backend.health()).kind).toBe("redis");
    await backend.waitForWork([freshList()], 20, new AbortController().signal);
    await backend.close();
    await server.stop();
  });
});

describe("a server that goes away", () => {
  let server: RedisServer;
  let backend: Backend;
  const { lines, log } = recorder();
  beforeAll(async () => {
    server = await startRedis({ appendonly: true });
    backend = await openRedisBackend({ url: server.url, log, commandTimeout: 500 });
  });
  afterAll(async () => {
    await backend?.close();
    await server?.stop();
  });

  test("killed: every operation says down; back: everything acknowledged is there, and the run can be ended", async () => {
    const list = freshList();
    const uuid = await submitOne(backend, [list]);
    const run = await claimOne(backend, list);
    await server.kill();
    const nobody = new AbortController().signal;
    const operations = [
      () => backend.read([uuid]),
      () => backend.submit([submission(uuid)]),
      () => backend.push(list, [uuid]),
      () => claimFrom(backend, list),
      () => backend.heartbeat("owner-1", [list]),
      () => backend.settle([done(run)]),
      () => backend.claimDeliveries(5, 1_000),
      () => backend.deliveries(uuid),
      () => backend.depths([list]),
      () => backend.repair(),
      () => backend.health(),
      () => backend.waitForWork([list], 60_000, nobody),
    ];
    for (const operation of operations) await expect(operation()).rejects.toThrow(down);
    // an interruption that ends before the first reconnection is not told
    await expect.poll(() => lines.length).toBe(1);
    await server.restart();
    const settled = await eventually("settling", () =>
      backend.settle([done(run, { change: change({ kept: true }, 1), egress: [`${list}_out`] })]),
    );
    expect(settled).toMatchObject([{ kind: "ok", rev: 2 }]);
    expect(contentOf((await backend.read([uuid]))[0]?.bytes)).toEqual({ kept: true });
    expect(await backend.peek(`${list}_out`, 0, 5)).toEqual([uuid]);
    expect(lines.map(({ message }) => message)).toEqual(["redis is away, reconnecting", "redis is back"]);
  });

  test("killed in the middle of many writes: nothing acknowledged is lost, nothing is stored twice", async () => {
    const list = freshList();
    const acknowledged = new Set<string>();
    const writing = Array.from({ length: 200 }, async (_, n) => {
      await new Promise((resolve) => setTimeout(resolve, n));
      const document = submission(submissionId(n), { lists: [list], content: { n } });
      await backend.submit([document]).then(
        () => acknowledged.add(document.uuid),
        () => undefined,
      );
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    await server.kill();
    await server.restart();
    await Promise.all(writing);
    const queued = await eventually("reading", () => backend.peek(list, 0, 1_000));
    expect(acknowledged.size).toBeGreaterThan(0);
    expect([...acknowledged].filter((uuid) => !queued.includes(uuid))).toEqual([]);
    expect(new Set(queued).size).toBe(queued.length);
  });

  test("scripts the server no longer knows are sent again", async () => {
    const list = freshList();
    await submitOne(backend, [list]);
    await server.cli("script", "flush");
    const run = await claimOne(backend, list);
    await server.cli("script", "flush");
    expect(run.document?.rev).toBe(1);
    expect(await backend.settle([done(run, { change: change({ n: 2 }, 1), sendTo: [`${list}_to`] })])).toMatchObject([
      { kind: "ok", rev: 2 },
    ]);
    expect(await backend.depths([`${list}_to`])).toEqual([1]);
  });

  test("frozen: down instead of hanging, the connection is dropped; thawed: it goes on", async () => {
    const [before] = clientIds(await server.cli("client", "list"));
    server.freeze();
    await expect(backend.depths(["x"])).rejects.toThrow(down);
    await expect(backend.depths(["x"])).rejects.toThrow(down);
    server.thaw();
    expect(await eventually("counting", () => backend.depths(["x"]))).toEqual([0]);
    expect(clientIds(await server.cli("client", "list"))).not.toContain(before);
  });
});

const submissionId = (n: number) =>
  `00000000-0000-4000-8000-${String(n).padStart(12, "0")}` as Parameters<typeof submission>[0];

const clientIds = (list: string): string[] =>
  list.split("\n").flatMap((line) => (line.includes("name=vcon-server") ? (/^id=(\d+)/.exec(line)?.[1] ?? []) : []));

test("a client that stopped trying in the middle of a reconnect is told to go on", async () => {
  const server = await startRedis();
  const connection = await connect(parseRedisUrl(server.url), { timeout: 500, log: silent });
  connection.client.disconnect();
  await expect(connection.client.ping()).rejects.toThrow();
  expect(await eventually("the client", () => connection.client.ping())).toBe("PONG");
  connection.close();
  await server.stop();
});

describe("a cluster that loses a node", () => {
  let cluster: RedisGroup;
  let backend: Backend;
  beforeAll(async () => {
    cluster = await startCluster();
    // a plain URL of one node: that it belongs to a cluster is found out
    const [first] = cluster.servers;
    backend = await openRedisBackend({ url: first?.url ?? "", log: silent, commandTimeout: 1_000 });
  });
  afterAll(async () => {
    await backend?.close();
    await cluster?.stop();
  });

  test("is recognised, says down for what is on that node, and works again when it is back", async () => {
    const lists = Array.from({ length: 64 }, () => freshList());
    expect(await backend.depths(lists)).toEqual(lists.map(() => 0));
    await cluster.servers[2]?.kill();
    await expect(backend.depths(lists)).rejects.toThrow(down);
    await expect(backend.push(lists[0] ?? "", ["x"]).then(() => backend.depths(lists))).rejects.toThrow(down);
    await cluster.servers[2]?.restart();
    await eventually("the cluster", async () => {
      for (const list of lists) await backend.push(list, ["y"]);
    });
    expect((await backend.depths(lists)).every((depth) => depth > 0)).toBe(true);
  });

  test("a submission that stopped half-way is finished by repair", async () => {
    const list = freshList();
    const place = cluster.servers[0] as RedisServer;
    const cli = (...args: string[]) => place.cli("-c", ...args);
    await cli("set", list, "mine");
    const term = `name:${freshList()}` as const;
    const one = submission(submissionId(1), { lists: [list], index: { createdAt: 1, terms: [term] } });
    await expect(backend.submit([one])).rejects.toThrow(expect.objectContaining({ code: "VCON_BACKEND_KEY" }));
    await cli("del", list);
    await backend.repair();
    expect(await backend.depths([list])).toEqual([0]);
    // as if the patience with the one that submitted were over
    for (let shard = 0; shard < 16; shard++) {
      const key = `vcs:intents:{${shard}}`;
      for (const member of (await cli("zrange", key, "0", "-1")).split("\n").filter(Boolean))
        await cli("zadd", key, "0", member);
    }
    await backend.repair();
    expect(await backend.peek(list, 0, 5)).toEqual([one.uuid]);
    expect(await backend.search([term])).toEqual([one.uuid]);
    await backend.repair();
    expect(await backend.depths([list])).toEqual([1]);
  });
});

describe("Sentinel", () => {
  test("finds the master, and the new one after a failover; intake may wait for a replica", async () => {
    const group = await startSentinel();
    const [master, replica] = group.servers as [RedisServer, RedisServer];
    const backend = await openRedisBackend({ url: group.url, log: silent, commandTimeout: 1_000 });
    const careful = await openRedisBackend({ url: group.url, log: silent, commandTimeout: 1_000, redisAck: "replica" });
    try {
      const list = freshList();
      const uuid = freshSubmission(list);
      // a replica that has only just caught up may be late once; what was not acknowledged is sent again
      const [stored] = await eventually("a confirmed intake", () => careful.submit([uuid]));
      expect(["created", "same"]).toContain(stored?.kind);
      const run = await claimOne(backend, list);
      await backend.waitForWork([list], 20, new AbortController().signal);
      await master.kill();
      await expect(backend.read([uuid.uuid])).rejects.toThrow(down);
      const settled = await eventually("settling on the new master", () =>
        backend.settle([done(run, { change: change({ n: 2 }, 1) })]),
      );
      expect(settled).toMatchObject([{ kind: "ok", rev: 2 }]);
      expect(await replica.cli("role")).toMatch(/^master/);
      // the only node left has no replica that could confirm
      await expect(
        eventually("reaching the master", () => careful.read([])).then(() => careful.submit([freshSubmission(list)])),
      ).rejects.toThrow(down);
      const { warnings } = await eventually("asking for health", () => careful.health());
      expect(warnings.join()).toContain("REDIS_ACK=replica");
    } finally {
      await backend.close();
      await careful.close();
      await group.stop();
    }
  }, 60_000);
});

const freshSubmission = (list: string) =>
  submission(crypto.randomUUID() as Parameters<typeof submission>[0], { lists: [list] });
