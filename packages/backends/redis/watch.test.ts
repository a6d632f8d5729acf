import { silent } from "@vcon-server/core";
import { freshList } from "@vcon-server/core/backend/conformance/samples";
import { type RedisGroup, type RedisServer, startCluster, startRedis } from "@vcon-server/core/testing/servers/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Connection, connect } from "./connect.ts";
import { parseRedisUrl } from "./url.ts";
import { createWatch, type Watch } from "./watch.ts";

let server: RedisServer;
let cluster: RedisGroup;
beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startCluster()]);
});
afterAll(async () => {
  await Promise.all([server?.stop(), cluster?.stop()]);
});

const never = new AbortController().signal;
/** Longer than any test may take: a wait that ends was ended by the server. */
const LONG = 600_000;

describe.each(["one server", "a cluster"])("waiting for work on %s", (kind) => {
  let connection: Connection;
  let watch: Watch;
  const url = () => (kind === "one server" ? server.url : cluster.url);
  const servers = () => (kind === "one server" ? [server] : cluster.servers);
  const cli = (...args: string[]) => (servers()[0] as RedisServer).cli("-c", ...args);
  beforeAll(async () => {
    connection = await connect(parseRedisUrl(url()), { timeout: 2_000, log: silent });
    watch = createWatch(connection, silent, LONG);
  });
  afterAll(() => {
    watch?.close();
    connection?.close();
  });

  test("a bare RPUSH of another program ends it", async () => {
    const list = freshList();
    const waiting = watch.wait([list], LONG, never);
    await cli("rpush", list, "x");
    await waiting;
  });

  test("on any of many lists, again and again", async () => {
    const lists = Array.from({ length: 40 }, () => freshList());
    for (const list of [lists[0], lists[17], lists[39]]) {
      const waiting = watch.wait(lists, LONG, never);
      await cli("rpush", list as string, "x");
      await waiting;
      await cli("del", list as string);
    }
  });

  test("a list that has work does not wait at all", async () => {
    const [empty, full] = [freshList(), freshList()];
    await cli("rpush", full, "x");
    await watch.wait([empty, full], LONG, never);
  });

  test("an entry that comes due ends it", async () => {
    const list = freshList();
    const [seconds] = (await cli("time")).split("\n");
    await cli("zadd", `vcs:{${list}}:later`, String(Number(seconds) * 1_000 + 100), "7");
    await watch.wait([list], LONG, never);
  });

  test("an abort ends it, also one that came before", async () => {
    const stop = new AbortController();
    const waiting = watch.wait([freshList()], LONG, stop.signal);
    stop.abort();
    await waiting;
    await watch.wait([freshList()], LONG, stop.signal);
  });

  test("the timeout ends it; no lists are waited for as well", async () => {
    await watch.wait([freshList()], 30, never);
    await watch.wait([], 30, never);
  });

  test("a key that is no list does not disturb the others", async () => {
    const [bad, good] = [freshList(), freshList()];
    await cli("set", bad, "mine");
    const waiting = watch.wait([bad, good], LONG, never);
    await cli("rpush", good, "x");
    await waiting;
  });

  /** How often the server was asked for the length of a list. */
  async function looks(): Promise<number> {
    const stats = await Promise.all(servers().map(({ cli: each }) => each("info", "commandstats")));
    const calls = stats.flatMap((text) =>
      [...text.matchAll(/cmdstat_llen:calls=(\d+)/g)].map(([, count]) => Number(count)),
    );
    return calls.reduce((sum, count) => sum + count, 0);
  }
  const forgetLooks = () => Promise.all(servers().map(({ cli: each }) => each("config", "resetstat")));

  test("waiting asks nothing while nothing happens", async () => {
    const list = freshList();
    await watch.wait([list], 10, never);
    await forgetLooks();
    await watch.wait([list], 700, never);
    expect(await looks()).toBe(1);
  });

  test("when its connections are cut it ends, and the next wait makes new ones", async () => {
    const list = freshList();
    await forgetLooks();
    const waiting = watch.wait([list], LONG, never);
    while ((await looks()) === 0) await cli("ping");
    for (const { cli: each } of servers()) await each("client", "kill", "type", "pubsub");
    await waiting;
    const again = watch.wait([list], LONG, never);
    await cli("rpush", list, "x");
    await again;
  });
});

test("a user who may not track is served all the same", async () => {
  await server.cli("acl", "setuser", "limited", "on", ">pw", "~*", "&*", "+@all", "-client|tracking");
  const target = parseRedisUrl(`redis://limited:pw@127.0.0.1:${server.port}`);
  const connection = await connect(target, { timeout: 2_000, log: silent });
  const watch = createWatch(connection, silent, LONG);
  const list = freshList();
  await watch.wait([list], LONG, never);
  await watch.wait([list], 10, never);
  watch.close();
  connection.close();
});
