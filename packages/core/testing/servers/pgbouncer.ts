import { existsSync } from "node:fs";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { findServerAccount, launchServer } from "./launch.ts";
import { freePort, LOOPBACK } from "./loopback.ts";
import type { PostgresServer } from "./postgres.ts";

/** A real PgBouncer of a test, in front of a PostgreSQL server, on a free loopback port. */
export interface PgbouncerServer {
  readonly port: number;
  /** `postgres://user@host:port/database`; no password is needed. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface PgbouncerOptions {
  readonly server: Pick<PostgresServer, "host" | "port" | "user" | "database">;
  readonly poolMode: "session" | "transaction" | "statement";
  /** Further settings, such as `{ client_idle_timeout: "1" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts a PgBouncer. Fails, saying what to install, when there is none on this machine. */
export async function startPgbouncer({ server, poolMode, settings = {} }: PgbouncerOptions): Promise<PgbouncerServer> {
  const program = findProgram();
  const account = await findServerAccount();
  const folder = await mkdtemp(join(tmpdir(), "vcs-pgbouncer-"));
  const port = await freePort();
  const all = {
    listen_addr: LOOPBACK,
    listen_port: String(port),
    unix_socket_dir: "",
    auth_type: "any",
    pool_mode: poolMode,
    ...settings,
  };
  const { host, user, database } = server;
  const file = join(folder, "pgbouncer.ini");
  const lines = [
    "[databases]",
    `${database} = host=${host} port=${server.port} user=${user}`,
    "[pgbouncer]",
    ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  if (account) await chown(folder, account.uid, account.gid);
  const running = await launchServer({ program, args: [file], cwd: folder, account, ready: "process up" });
  return {
    port,
    url: `postgres://${user}@${LOOPBACK}:${port}/${database}`,
    async stop() {
      // SIGINT would wait for clients that rest in a pool
      await running.end("SIGTERM");
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Debian keeps the program where daemons are, which is not on every user's path. */
function findProgram(): string {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  const found = folders.map((folder) => join(folder, "pgbouncer")).find(existsSync);
  if (!found) throw new Error("starting PgBouncer for a test: pgbouncer is not installed; apt-get install pgbouncer");
  return found;
}
