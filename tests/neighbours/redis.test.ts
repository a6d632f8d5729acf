import { execFile } from "node:child_process";
import { join } from "node:path";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { type RedisOptions, type RedisServer, startRedis } from "@vcon-server/core/testing/servers/redis";
import { afterEach, describe, expect, test } from "vitest";
import { type Folder, makeFolder } from "../stage/folder.ts";
import { ROOT, type RunningServer, startServer } from "../stage/server.ts";

/** A Redis as operators set it up, and what `start` and `doctor` say to it. Nothing here may keep a process alive. */

const CONFIG = {
  links: { tag: { module: "links.tag", options: { tags: ["seen"] } } },
  chains: { main: { links: ["tag"], ingress_lists: ["in"], egress_lists: ["out"] } },
};

const leaving: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const leave of leaving.splice(0).reverse()) await leave();
});

async function redis(options: RedisOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  leaving.push(() => server.stop());
  return server;
}

interface Place {
  readonly folder: Folder;
  readonly port: number;
}

async function place(): Promise<Place> {
  const folder = makeFolder(() => CONFIG);
  leaving.push(async () => folder.remove());
  return { folder, port: await freePort() };
}

async function start({ folder, port }: Place, env: Readonly<Record<string, string>>): Promise<RunningServer> {
  const server = await startServer({ verb: "start", port, folder: folder.path, configFile: folder.configFile, env });
  leaving.push(() => server.stop());
  return server;
}

/** Returns the output of a server that must not start. */
const refusal = async (at: Place, env: Readonly<Record<string, string>>): Promise<string> => {
  const outcome = await start(at, env).catch((error: Error) => error.message);
  if (typeof outcome !== "string") throw new Error("the server started");
  return outcome;
};

/** `doctor --json`, with its exit code; a process that does not end by itself within 40 s fails the test. */
function doctor({ folder, port }: Place, env: Readonly<Record<string, string>>) {
  const { PATH, HOME } = process.env;
  const given = { PATH, HOME, CONSERVER_CONFIG_FILE: folder.configFile, PORT: String(port), ...env };
  return new Promise<{ code: unknown; out: string }>((resolve) => {
    const args = [join(ROOT, "apps", "server", "cli", "main.ts"), "doctor", "--json"];
    execFile(process.execPath, args, { cwd: folder.path, env: given, timeout: 40_000 }, (error, stdout) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, out: stdout });
    });
  });
}

describe("start and doctor", () => {
  test("a user without INFO: both end with exit code 1 and name the right", async () => {
    const server = await redis();
    await server.cli("acl", "setuser", "app", "on", ">secret", "~*", "&*", "+@all", "-@dangerous");
    const [at, env] = [await place(), { REDIS_URL: server.url.replace("://", "://app:secret@") }];
    const said = await refusal(at, env);
    expect(said).toContain("exit code 1");
    expect(said).toMatch(/VCON_BACKEND_UNFIT[\s\S]*right to call INFO \(ACL SETUSER <name> \+info\)/);
    expect(await doctor(at, env)).toEqual({ code: 1, out: expect.stringContaining("+info") });
  });

  test("a database that does not exist", async () => {
    const server = await redis();
    const [at, env] = [await place(), { REDIS_URL: `${server.url}/99` }];
    const said = await refusal(at, env);
    expect(said).toContain("exit code 1");
    expect(said).toMatch(/VCON_BACKEND_UNFIT[\s\S]*out of range[\s\S]*name a database/);
    expect(await doctor(at, env)).toEqual({ code: 1, out: expect.stringContaining("out of range") });
    expect(await server.cli("dbsize")).toBe("0");
  });

  test("an evicting one is refused unless that is allowed; then start warns as doctor does", async () => {
    const server = await redis({ maxmemory: "64mb", settings: { "maxmemory-policy": "allkeys-lru" } });
    const [at, env] = [await place(), { REDIS_URL: server.url }];
    const said = await refusal(at, env);
    expect(said).toContain("exit code 1");
    expect(said).toMatch(/VCON_BACKEND_UNFIT[\s\S]*allkeys-lru[\s\S]*VCON_ALLOW_EVICTION=true/);
    expect(await doctor(at, env)).toEqual({ code: 1, out: expect.stringContaining("allkeys-lru") });
    const allowed = { ...env, VCON_ALLOW_EVICTION: "true" };
    const running = await start(at, allowed);
    expect(running.output()).toMatch(/allkeys-lru/);
    expect(running.output()).toMatch(/appendonly yes/);
    expect((await doctor(at, allowed)).code).toBe(0);
  });

  test("dead letters the Python server left behind are shown, with the way to try them again", async () => {
    const server = await redis({ appendonly: true });
    await server.cli("rpush", "DLQ:in", "0198a3e0-7d7a-8c3e-9f00-000000000001");
    const { code, out } = await doctor(await place(), { REDIS_URL: server.url });
    expect(code).toBe(0);
    expect(out).toMatch(/1 vCon that failed waits on DLQ:in[\s\S]*dlq_name[\s\S]*from-python.md/);
  });

  test("a replica, where nothing can be written", async () => {
    const master = await redis();
    const replica = await redis({ settings: { replicaof: `127.0.0.1 ${master.port}` } });
    const [at, env] = [await place(), { REDIS_URL: replica.url }];
    const said = await refusal(at, env);
    expect(said).toContain("exit code 1");
    expect(said).toMatch(/read-only replica of 127.0.0.1/);
    expect(await doctor(at, env)).toEqual({ code: 1, out: expect.stringContaining("read-only replica") });
  });

  test("a server that becomes a replica while it is used is not ready until it is a master again", async () => {
    const [server, other] = [await redis(), await redis()];
    const running = await start(await place(), { REDIS_URL: server.url });
    const ready = async () => (await fetch(`${running.url}/api/health/ready`)).status;
    expect(await ready()).toBe(200);
    await server.cli("replicaof", "127.0.0.1", String(other.port));
    await expect.poll(ready).toBe(503);
    await server.cli("replicaof", "no", "one");
    await expect.poll(ready).toBe(200);
  });
});
