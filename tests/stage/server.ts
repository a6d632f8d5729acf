import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf } from "./processes.ts";

export interface ServerSetup {
  readonly verb: "start" | "api" | "worker";
  readonly port: number;
  /** Working directory, data and configuration file; one server each, except where they share a Redis. */
  readonly folder: string;
  readonly configFile: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A running server: the process `vcon-server` and its children. */
export interface RunningServer {
  readonly url: string;
  readonly pid: number;
  /** Living worker processes, the lane for suspects included. */
  workers(): number[];
  gateways(): number[];
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, then the exit; SIGKILL when it does not end within the time. */
  stop(withinMs?: number): Promise<Exit>;
  readonly exited: Promise<Exit>;
  /** Everything it has written so far. */
  output(): string;
}

export const ROOT = join(import.meta.dirname, "..", "..");
const MAIN = join(ROOT, "apps", "server", "cli", "main.ts");
const READY_MS = 60_000;
const KEPT_OUTPUT = 4_000_000;

/** Starts the real server as a user would, without waiting for anything. */
export function launchServer(setup: ServerSetup): RunningServer {
  const child = spawn(process.execPath, [MAIN, setup.verb], {
    cwd: setup.folder,
    env: environment(setup),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = collect(child);
  const exited = new Promise<Exit>((resolve) => {
    child.on("error", (error) => resolve({ code: null, signal: error.message }));
    child.on("exit", (code, signal) => resolve({ code, signal }));
  });
  return running(child, { url: `http://127.0.0.1:${setup.port}`, exited, output });
}

/** Starts the server and waits until it is ready. Its output is in the error when it is not. */
export async function startServer(setup: ServerSetup): Promise<RunningServer> {
  const server = launchServer(setup);
  try {
    await ready(server, setup.verb);
    return server;
  } catch (error) {
    server.signal("SIGKILL");
    throw new Error(`${error instanceof Error ? error.message : error}\n${server.output().slice(-8_000)}`);
  }
}

function environment({ env, port, folder, configFile }: ServerSetup): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return {
    PATH,
    HOME,
    ...(TMPDIR !== undefined && { TMPDIR }),
    HOST: "127.0.0.1",
    PORT: String(port),
    CONSERVER_DATA_DIR: join(folder, "data"),
    CONSERVER_CONFIG_FILE: configFile,
    ...env,
  };
}

function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-KEPT_OUTPUT);
    });
  }
  return () => text;
}

type Given = Pick<RunningServer, "url" | "exited" | "output">;

function running(child: ChildProcess, given: Given): RunningServer {
  const pid = child.pid ?? 0;
  const inRole = (...roles: readonly string[]) =>
    childrenOf(pid)
      .filter(({ command }) => roles.some((role) => command.trimEnd().endsWith(`child.ts ${role}`)))
      .map((process) => process.pid);
  return {
    ...given,
    pid,
    workers: () => inRole("worker", "suspects", "suspect"),
    gateways: () => inRole("api"),
    signal: (name) => void child.kill(name),
    async stop(withinMs = 40_000) {
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), withinMs);
      const exit = await given.exited;
      clearTimeout(force);
      return exit;
    },
  };
}

async function ready(server: RunningServer, verb: ServerSetup["verb"]): Promise<void> {
  const deadline = performance.now() + READY_MS;
  const ended = server.exited.then(({ code, signal }) => {
    throw new Error(`the server ended before it was ready (${signal ?? `exit code ${code}`})`);
  });
  ended.catch(() => undefined);
  while (performance.now() < deadline) {
    if (await Promise.race([ended, verb === "worker" ? workersUp(server) : answers(server.url)])) return;
    await sleep(50);
  }
  throw new Error(`the server was not ready within ${READY_MS / 1000} s`);
}

/** Without a gateway there is nobody to ask; a worker says in its log that it has begun. */
const workersUp = async (server: RunningServer): Promise<boolean> => /ready/i.test(server.output());

async function answers(url: string): Promise<boolean> {
  const signal = AbortSignal.timeout(2_000);
  return fetch(`${url}/health/ready`, { signal }).then(
    ({ ok }) => ok,
    () => false,
  );
}
