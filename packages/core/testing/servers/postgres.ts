import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { findServerAccount, type Launched, launchServer } from "./launch.ts";
import { freePort, LOOPBACK } from "./loopback.ts";

/** A real PostgreSQL server of a test, on a free loopback port, with its data in a folder of its own. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** `postgres://user@host:port/database`; no password is needed. */
  readonly url: string;
  /** Shuts down in an orderly way and keeps the data; `start` brings it back. */
  pause(): Promise<void>;
  /** Ends it as a power cut would (SIGKILL) and keeps the data; `start` brings it back. */
  kill(): Promise<void>;
  /** Starts it again on the same port. Does nothing while it runs. */
  start(): Promise<void>;
  /** Shuts down and removes the data. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Settings of the server, such as `{ max_connections: "5" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Makes a hot standby of this server, which copies it and only reads. */
  readonly standbyOf?: Pick<PostgresServer, "host" | "port" | "user">;
}

const READY = "database system is ready to accept connections";
const STANDBY_READY = "database system is ready to accept read-only connections";

/** Starts a server. Fails, saying what to install, when there is no PostgreSQL on this machine. */
export async function startPostgres({ settings = {}, standbyOf }: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = programs();
  const account = await findServerAccount();
  const folder = await mkdtemp(join(tmpdir(), "vcs-postgres-"));
  if (account) await chown(folder, account.uid, account.gid);
  const data = join(folder, "data");
  const [program, init] = standbyOf ? copyCommand(data, standbyOf) : initCommand(data);
  await promisify(execFile)(join(bin, program), init, { ...account, cwd: folder });
  const port = await freePort();
  const all = {
    listen_addresses: LOOPBACK,
    port: String(port),
    unix_socket_directories: "",
    fsync: "off",
    ...settings,
  };
  const args = ["-D", data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];

  const ready = standbyOf ? STANDBY_READY : READY;
  const launch = () => launchServer({ program: join(bin, "postgres"), args, cwd: folder, account, ready });
  let running: Launched | undefined = await launch();
  const end = async (signal: NodeJS.Signals) => {
    const was = running;
    running = undefined;
    await was?.end(signal);
  };
  return {
    host: LOOPBACK,
    port,
    user: "postgres",
    database: "postgres",
    url: `postgres://postgres@${LOOPBACK}:${port}/postgres`,
    pause: () => end("SIGINT"),
    kill: () => end("SIGKILL"),
    async start() {
      running ??= await launch();
    },
    async stop() {
      await end("SIGINT");
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

type Command = readonly [program: string, args: readonly string[]];

/** The test's data is thrown away: nothing needs to reach the disk. */
const initCommand = (data: string): Command => [
  "initdb",
  ["-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
];

/** Copies a running server; `-R` makes the copy a standby of it. */
const copyCommand = (data: string, { host, port, user }: NonNullable<PostgresOptions["standbyOf"]>): Command => [
  "pg_basebackup",
  ["-D", data, "-h", host, "-p", String(port), "-U", user, "-R", "-c", "fast", "--no-sync"],
];

/** Debian keeps the programs of each version in a folder of their own; elsewhere they are on the path. */
function programs(): string {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  const found = folders.find((folder) => ["initdb", "postgres"].every((program) => existsSync(join(folder, program))));
  if (!found)
    throw new Error(
      "starting a PostgreSQL server for a test: initdb and postgres are not installed; apt-get install postgresql",
    );
  return found;
}
