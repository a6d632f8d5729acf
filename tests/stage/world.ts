import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { type RedisServer, startRedis } from "@vcon-server/core/testing/servers/redis";
import type { Stage } from "../oracle/prove.ts";
import { type Folder, makeFolder } from "./folder.ts";
import { gateway } from "./http.ts";
import { EGRESS, INGRESS, LOGGED_STEPS, type Pipeline, pipeline } from "./pipeline.ts";
import { fileRows, type JudgedStorage, postgresRows } from "./rows.ts";
import { type Exit, launchServer, type RunningServer, type ServerSetup, startServer } from "./server.ts";

export type BackendKind = "redis" | "embedded";
export const BACKENDS: readonly BackendKind[] = ["redis", "embedded"];

export interface WorldOptions extends Pipeline {
  readonly backend: BackendKind;
  /** Supervisors that share one Redis; the embedded backend has exactly one. */
  readonly servers?: number;
  readonly workers?: number;
  readonly verb?: ServerSetup["verb"];
  readonly env?: Readonly<Record<string, string>>;
  readonly redis?: Parameters<typeof startRedis>[0];
  /** A configuration in place of the pipeline that logs its steps, with its lists and storages. */
  readonly instead?: {
    readonly config: object;
    readonly ingress: string;
    readonly egress: string;
    readonly storages: readonly JudgedStorage[];
  };
}

/** A real deployment of one test: backend, servers, storages. */
export interface World {
  readonly stage: Stage;
  readonly folder: Folder;
  readonly redis: RedisServer | undefined;
  /** Living servers by number. */
  readonly servers: ReadonlyMap<number, RunningServer>;
  /** Starts server `at` (again), on its own port. Vcons are sent to those the world began with. */
  start(at: number, verb?: ServerSetup["verb"]): Promise<RunningServer>;
  /** Begins to start server `at` as `start` does, without waiting; it is not one of the living servers. */
  launch(at: number): Promise<RunningServer>;
  /** Nothing is sent to server `at` any more, nothing asked of it. */
  forget(at: number): void;
  /** Ends server `at` politely. */
  stop(at: number): Promise<Exit>;
  close(): Promise<void>;
}

export async function makeWorld(options: WorldOptions): Promise<World> {
  const { backend, servers: count = backend === "redis" ? 2 : 1, workers = 1 } = options;
  const { instead } = options;
  const folder = makeFolder(instead ? () => instead.config : pipeline(options));
  const redis = backend === "redis" ? await startRedis({ appendonly: true, ...options.redis }) : undefined;
  const ports: number[] = [];
  const servers = new Map<number, RunningServer>();
  const outputs: (() => string)[] = [];
  const env = {
    CONSERVER_WORKERS: String(workers),
    CONSERVER_VCON_CONCURRENCY: "64",
    CONSERVER_GRACE_SECS: "10",
    ...(redis && { REDIS_URL: redis.url }),
    ...options.env,
  };

  async function setup(at: number, verb = options.verb ?? "start"): Promise<ServerSetup> {
    const { path, configFile } = folder;
    ports[at] ??= await freePort();
    return { verb, port: ports[at], folder: path, configFile, env };
  }

  async function start(at: number, verb?: ServerSetup["verb"]): Promise<RunningServer> {
    const server = await startServer(await setup(at, verb));
    servers.set(at, server);
    outputs.push(server.output);
    return server;
  }

  async function stop(at: number): Promise<Exit> {
    const server = servers.get(at);
    servers.delete(at);
    return server ? server.stop() : { code: 0, signal: null };
  }

  async function close(): Promise<void> {
    await Promise.all([...servers.keys()].map(stop));
    await redis?.stop();
    folder.remove();
  }

  const forgotten = new Set<number>();
  const urls = () =>
    ports.flatMap((port, at) => (at < count && !forgotten.has(at) ? [`http://127.0.0.1:${port}`] : []));
  const living = () => [...servers.values()].map(({ url }) => url);
  try {
    await Promise.all(Array.from({ length: count }, (_, at) => start(at)));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    folder,
    redis,
    servers,
    start,
    launch: async (at) => launchServer(await setup(at)),
    stop,
    close,
    forget(at) {
      forgotten.add(at);
      servers.delete(at);
    },
    stage: {
      urls,
      gateway: gateway(() => living()[0] ?? (urls()[0] as string)),
      ingress: instead?.ingress ?? INGRESS,
      egress: instead?.egress ?? EGRESS,
      storages: instead?.storages ?? storagesOf(options, folder),
      effectLog: folder.effectLog,
      effectSteps: instead ? [] : LOGGED_STEPS,
      output: () => outputs.map((output) => output().replace(/^.*"message":"vCon processed".*\n/gm, "")).join("\n"),
    },
  };
}

function storagesOf({ postgres, archive: elsewhere }: WorldOptions, { archive }: Folder): JudgedStorage[] {
  const table =
    postgres && postgresRows(`postgres://${postgres.user}@${postgres.host}:${postgres.port}/${postgres.database}`);
  return [fileRows(elsewhere ?? archive), ...(table ? [table] : [])];
}
