import { once } from "node:events";
import { createServer } from "node:net";
import process from "node:process";
import { VconError } from "@vcon-server/core";
import type { Settings } from "@vcon-server/core/config";
import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { compileFile, settingsFor } from "./configured.ts";
import { type ExitCode, UsageError } from "./failure.ts";
import { pathOf, type Terminal } from "./terminal.ts";
import { welcome } from "./welcome.ts";

/** Flags of the verbs that run the server; each stands above the variable it names. */
export interface ServeFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly host?: string;
  readonly port?: string;
  readonly workers?: string;
}

type Role = "api" | "worker";

/** Adds the flags that belong to these roles. */
export function withServeFlags(verb: Command, roles: readonly Role[]): Command {
  verb.option("-c, --config <file>", "configuration (CONSERVER_CONFIG_FILE)");
  verb.option("--data-dir <folder>", "folder of the embedded backend (CONSERVER_DATA_DIR)");
  if (roles.includes("api")) {
    verb
      .option("--host <address>", "address to listen on (HOST)")
      .option("-p, --port <number>", "port to listen on (PORT)");
  }
  if (roles.includes("worker")) verb.option("-w, --workers <count>", "worker processes (CONSERVER_WORKERS)");
  return verb;
}

/** Runs these roles until the process is told to end. Says on standard error when they are ready. */
export async function serve({ terminal }: Cli, roles: readonly Role[], flags: ServeFlags): Promise<ExitCode> {
  const variables = {
    CONSERVER_CONFIG_FILE: flags.config && pathOf(terminal, flags.config),
    CONSERVER_DATA_DIR: flags.dataDir && pathOf(terminal, flags.dataDir),
    HOST: flags.host,
    PORT: flags.port,
    CONSERVER_WORKERS: flags.workers,
  };
  // child processes read the environment as well: flags have to be in it
  for (const [name, value] of Object.entries(variables)) if (value) process.env[name] = value;
  const { settings, env } = settingsFor(terminal, variables);
  const alone = roles.length === 1;
  if (alone && settings.redisUrl === undefined) {
    throw new UsageError(
      `\`${roles[0]}\` alone needs REDIS_URL: the embedded backend belongs to one process. Run \`vcon-server start\`, or set REDIS_URL.`,
    );
  }
  if (roles.includes("api")) await requireFreePort(settings);
  const { runServer } = await import("../start.ts");
  const code = await runServer({
    roles,
    onReady: ({ address }) => void greet(terminal, roles, { settings, env, address }),
  });
  return code === 0 ? 0 : 1;
}

/** Somebody else on the port is the commonest reason why a first start fails: say so before anything is begun. */
async function requireFreePort({ host, port }: Pick<Settings, "host" | "port">): Promise<void> {
  const probe = createServer();
  try {
    probe.listen({ host, port, exclusive: true });
    await once(probe, "listening");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    const reason = code === "EADDRINUSE" ? "is in use by another program" : `cannot be listened on (${code})`;
    throw new VconError(
      "VCON_SETTING_INVALID",
      `${host}:${port} ${reason}; stop that program, or choose another PORT`,
      {
        cause,
      },
    );
  } finally {
    probe.close();
  }
}

/** A configuration that went wrong in this very moment is the running server's to report. */
async function greet(
  terminal: Terminal,
  roles: readonly Role[],
  read: Pick<ReturnType<typeof settingsFor>, "settings" | "env"> & { readonly address: string | undefined },
): Promise<void> {
  if (!roles.includes("api")) return terminal.err.write("ready: working\n");
  try {
    const { plan } = await compileFile(read.settings.configFile, read.env);
    if (plan !== undefined) terminal.err.write(`${welcome(read.settings, plan, read.address)}\n`);
  } catch (error) {
    if (!(error instanceof VconError)) throw error;
  }
}
