import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
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
}

const READY = "database system is ready to accept connections";
const STARTS = 5;

/** Starts a server. Fails, saying what to install, when there is no PostgreSQL on this machine. */
export async function startPostgres({ settings = {} }: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = programs();
  const account = await serverAccount();
  const folder = await mkdtemp(join(tmpdir(), "vcs-postgres-"));
  if (account) await chown(folder, account.uid, account.gid);
  const data = join(folder, "data");
  // the test's data is thrown away: nothing needs to reach the disk
  const init = ["-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
  await promisify(execFile)(join(bin, "initdb"), init, { ...account, cwd: folder });
  const port = await freePort();
  const all = {
    listen_addresses: LOOPBACK,
    port: String(port),
    unix_socket_directories: "",
    fsync: "off",
    ...settings,
  };
  const args = ["-D", data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];

  const launch = () => launched(join(bin, "postgres"), args, { ...account, cwd: folder });
  let running: Running | undefined = await launch();
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

interface Account {
  readonly uid: number;
  readonly gid: number;
}

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

/** PostgreSQL refuses to run as root; the package made an account for it. */
async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await promisify(execFile)("id", [flag, "postgres"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}

interface Running {
  end(signal: NodeJS.Signals): Promise<void>;
}

/** After a kill the old server's children may hold on to its memory for a moment: then starting is tried again. */
async function launched(
  program: string,
  args: readonly string[],
  options: Partial<Account> & { cwd: string },
): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
    const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
    let output = "";
    const ready = new Promise<boolean>((resolve) => {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-4000);
        if (output.includes(READY)) resolve(true);
      });
      child.once("error", (error) => {
        output += error.message;
        resolve(false);
      });
      child.once("close", () => resolve(false));
    });
    if (await ready) {
      const orphaned = () => void child.kill("SIGKILL");
      process.once("exit", orphaned);
      return {
        async end(signal) {
          process.removeListener("exit", orphaned);
          child.kill(signal);
          await exited;
        },
      };
    }
    if (attempt === STARTS) throw new Error(`starting PostgreSQL for a test failed ${STARTS} times:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
  }
}
