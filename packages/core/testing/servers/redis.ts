import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { askOnce, freePort, LOOPBACK } from "./loopback.ts";

export interface RedisOptions {
  /** As `maxmemory` of redis.conf, such as `8mb`. */
  readonly maxmemory?: string;
  /** Keeps every acknowledged write on disk (`appendfsync always`). */
  readonly appendonly?: boolean;
  readonly password?: string;
  /** More lines of redis.conf, by name. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A real Redis server of a test, on a free loopback port, with its data in a folder of its own. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** redis-cli on this server. */
  cli(...args: string[]): Promise<string>;
  /** Ends it as a power cut would (SIGKILL) and keeps the data; `restart` brings it back. */
  kill(): Promise<void>;
  /** Starts it again on the same port after ending it in an orderly way where it still runs; with settings changed. */
  restart(settings?: Readonly<Record<string, string>>): Promise<void>;
  /** Stops it answering without ending it (SIGSTOP), and lets it go on. */
  freeze(): void;
  thaw(): void;
  /** Ends it and removes the data. */
  stop(): Promise<void>;
}

const PATIENCE = 15_000;

/** Starts a server. Fails, saying what to install, when there is no Redis on this machine. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const clustered = options.settings?.["cluster-enabled"] === "yes";
  const folder = await mkdtemp(join(tmpdir(), "vcs-redis-"));
  // the bus of a cluster listens 10,000 above
  const port = await freePort(clustered ? 10_000 : 0);
  const settings = {
    bind: LOOPBACK,
    port: String(port),
    dir: folder,
    save: "",
    daemonize: "no",
    appendonly: options.appendonly ? "yes" : "no",
    appendfsync: options.appendonly ? "always" : "no",
    ...(options.maxmemory && { maxmemory: options.maxmemory, "maxmemory-policy": "noeviction" }),
    ...(options.password && { requirepass: options.password }),
    ...options.settings,
  };
  return running("redis-server", settingArguments(settings), { folder, port, password: options.password });
}

/** The server takes most values as one word; a renaming is two. */
const settingArguments = (settings: Readonly<Record<string, string>>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => [
    `--${name}`,
    ...(name === "rename-command" ? value.split(" ") : [value]),
  ]);

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly password: string | undefined;
}

async function running(
  program: string,
  args: readonly string[],
  { folder, port, password }: Place,
): Promise<RedisServer> {
  let child = await launch(program, args, port);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGCONT");
    child.kill(signal);
    await gone;
  };
  return {
    url: `redis://${password === undefined ? "" : `:${password}@`}${LOOPBACK}:${port}`,
    port,
    get pid() {
      return child.pid ?? 0;
    },
    cli: (...command) =>
      redisCli(port, [...(password === undefined ? [] : ["-a", password, "--no-auth-warning"]), ...command]),
    kill: () => end("SIGKILL"),
    async restart(settings = {}) {
      await end("SIGTERM");
      child = await launch(program, [...args, ...settingArguments(settings)], port);
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async stop() {
      await end("SIGKILL");
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Starts the program and waits until it answers. */
async function launch(program: string, args: readonly string[], port: number): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let failure: Error | undefined;
  child.on("error", (error: NodeJS.ErrnoException) => {
    failure = error.code === "ENOENT" ? missing(program, error) : error;
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data) => (said = `${said}${data}`.slice(-2_000)));
  const last = () => void child.kill("SIGKILL");
  process.once("exit", last);
  child.once("exit", () => process.off("exit", last));
  const until = Date.now() + PATIENCE;
  while (Date.now() < until) {
    if (failure) throw failure;
    if (child.exitCode !== null) throw new Error(`${program} ended at once: ${said}`);
    const answer = await askOnce(port, "PING");
    if (answer?.startsWith("+PONG") || answer?.startsWith("-NOAUTH")) return child;
    await sleep(20);
  }
  child.kill("SIGKILL");
  throw new Error(`${program} did not answer on port ${port} within ${PATIENCE} ms: ${said}`);
}

const missing = (program: string, cause: Error) =>
  new Error(`${program} is not installed; apt-get install redis-server redis-sentinel`, { cause });

async function redisCli(port: number, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("redis-cli", ["-h", LOOPBACK, "-p", String(port), ...args]);
  return stdout.trim();
}

/** Several servers of a test that work together. */
export interface RedisGroup {
  readonly url: string;
  readonly servers: readonly RedisServer[];
  stop(): Promise<void>;
}

/** A cluster of masters without replicas that share the slots evenly. */
export async function startCluster(masters = 3): Promise<RedisGroup> {
  const settings = { "cluster-enabled": "yes", "cluster-node-timeout": "2000" };
  const servers: RedisServer[] = [];
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
  try {
    for (let at = 0; at < masters; at++) servers.push(await startRedis({ settings }));
    const addresses = servers.map(({ port }) => `${LOOPBACK}:${port}`);
    const [first] = servers as [RedisServer];
    await redisCli(first.port, ["--cluster", "create", ...addresses, "--cluster-replicas", "0", "--cluster-yes"]);
    for (const server of servers)
      await until(`the cluster is ready on ${server.port}`, async () =>
        (await server.cli("cluster", "info")).includes("cluster_state:ok"),
      );
    return { url: `redis+cluster://${addresses.join(",")}`, servers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface SentinelGroup extends RedisGroup {
  /** First master, then replicas. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
}

/** A master with replicas under the eyes of sentinels, which may ask for a password; the group is called `mymaster`. */
export async function startSentinel({ replicas = 1, sentinels = 1, password = "" } = {}): Promise<SentinelGroup> {
  const servers: RedisServer[] = [];
  const watchers: RedisServer[] = [];
  const stop = async () => void (await Promise.all([...watchers, ...servers].map((server) => server.stop())));
  try {
    const master = await startRedis();
    servers.push(master);
    for (let at = 0; at < replicas; at++) {
      servers.push(
        await startRedis({ settings: { replicaof: `${LOOPBACK} ${master.port}`, "repl-diskless-sync-delay": "0" } }),
      );
    }
    await master.cli("set", "written", "before the replicas count");
    await until(
      "the replicas confirm writes",
      async () => confirming(await master.cli("info", "replication")) >= replicas,
    );
    const quorum = Math.floor(sentinels / 2) + 1;
    for (let at = 0; at < sentinels; at++) watchers.push(await startWatcher(master.port, quorum, password));
    for (const { cli } of watchers) {
      await until("the sentinels know the replicas", async () =>
        (await cli("info", "sentinel")).includes(`slaves=${replicas},sentinels=${sentinels}`),
      );
    }
    const hosts = watchers.map(({ port }) => `${LOOPBACK}:${port}`).join(",");
    return { url: `redis+sentinel://${hosts}/mymaster`, servers, sentinels: watchers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** How many replicas have confirmed everything the master wrote: one that is still loading has not. */
function confirming(info: string): number {
  const written = Number(/master_repl_offset:(\d+)/.exec(info)?.[1] ?? Number.POSITIVE_INFINITY);
  const offsets = [...info.matchAll(/state=online,offset=(\d+)/g)].map(([, offset]) => Number(offset));
  return offsets.filter((offset) => offset > 0 && offset >= written).length;
}

async function startWatcher(masterPort: number, quorum: number, password: string): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "vcs-sentinel-"));
  const port = await freePort();
  const file = join(folder, "sentinel.conf");
  const lines = [
    `bind ${LOOPBACK}`,
    `port ${port}`,
    `dir ${folder}`,
    `sentinel monitor mymaster ${LOOPBACK} ${masterPort} ${quorum}`,
    "sentinel down-after-milliseconds mymaster 1000",
    "sentinel failover-timeout mymaster 5000",
    ...(password === "" ? [] : [`requirepass "${password}"`]),
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  return running("redis-sentinel", [file], { folder, port, password: password === "" ? undefined : password });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error(`waited ${PATIENCE} ms in vain until ${what}`);
}
