import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

/** A user of the system that a server of a test runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Finds the user that PostgreSQL's package made. PostgreSQL and PgBouncer refuse to run as root. */
export async function findServerAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await promisify(execFile)("id", [flag, "postgres"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly account: Account | undefined;
  /** The line of its output (standard error) after which it takes connections. */
  readonly ready: string;
}

/** A running server program. It is killed when the test's process ends. */
export interface Launched {
  /** Sends the signal and resolves when the program has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const STARTS = 5;

/** Starts a server. After a kill the old server's children may hold on to its memory for a moment: it is tried again. */
export async function launchServer({ program, args, cwd, account, ready }: Launch): Promise<Launched> {
  for (let attempt = 1; ; attempt++) {
    const child = spawn(program, args, { ...account, cwd, stdio: ["ignore", "ignore", "pipe"] });
    const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
    let output = "";
    const isReady = new Promise<boolean>((resolve) => {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-4000);
        if (output.includes(ready)) resolve(true);
      });
      child.once("error", (error) => {
        output += error.message;
        resolve(false);
      });
      child.once("close", () => resolve(false));
    });
    if (await isReady) {
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
    if (attempt === STARTS) throw new Error(`starting ${program} for a test failed ${STARTS} times:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
  }
}
