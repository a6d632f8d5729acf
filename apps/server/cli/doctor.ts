import { VconError } from "@vcon-server/core";
import { withTimeout } from "@vcon-server/core/resilience";
import type { AddVerb, Cli } from "./cli.ts";
import { compileFile, settingsFor } from "./configured.ts";
import { type ConnectionFlags, connect, withConnectionFlags } from "./connection.ts";
import { type Check, type CheckStatus, fail, LOADING_MS, limitLook, reasonOf } from "./doctor/check.ts";
import { checkDataDir, checkProcess } from "./doctor/machine.ts";
import { checkConfiguration, checkTokens, checkVariables } from "./doctor/settings.ts";
import type { ExitCode } from "./failure.ts";
import { type Colour, harmless, type Paint, paintFor, pathOf, type Terminal } from "./terminal.ts";

interface DoctorFlags extends ConnectionFlags {
  readonly config?: string;
  readonly json?: boolean;
}

export const addDoctor: AddVerb = (cli) => {
  const verb = cli
    .verb("doctor", {
      summary: "Look at everything the server needs, and say what to fix.",
      examples: [
        ["doctor", "checks Node, settings, tokens, configuration, disk, backend, storages and the running server"],
      ],
    })
    .option("-c, --config <file>", "configuration (CONSERVER_CONFIG_FILE)");
  withConnectionFlags(verb).action(async (flags: DoctorFlags) => {
    cli.exit(await doctor(cli, flags));
  });
};

async function doctor({ terminal }: Cli, flags: DoctorFlags): Promise<ExitCode> {
  const checks: Check[] = [];
  for await (const check of examine(terminal, flags)) {
    checks.push(check);
    if (!flags.json) terminal.out.write(lineOf(check, paintFor(terminal.out, terminal.env)));
  }
  const count = (status: CheckStatus) => checks.filter((check) => check.status === status).length;
  if (flags.json)
    terminal.out.write(`${JSON.stringify({ checks, failed: count("fail"), warned: count("warn") }, null, 2)}\n`);
  else terminal.err.write(`${count("ok")} ok, ${count("warn")} to look at, ${count("fail")} to fix\n`);
  return count("fail") > 0 ? 1 : 0;
}

const TOKENS = { name: "tokens", remedy: "the disk of the token file does not answer: put the file elsewhere" };
const DATA_DIR = { name: "data folder", remedy: "its disk does not answer: set CONSERVER_DATA_DIR to another folder" };
const endless = () =>
  new Error(`no end within ${LOADING_MS / 1000} s: a module that it names, or the disk it is on, does not answer`);

/** Each check as soon as it is known, the cheap ones first. */
async function* examine(terminal: Terminal, flags: DoctorFlags): AsyncGenerator<Check> {
  yield* checkProcess();
  const read = settingsOf(terminal, flags);
  if ("status" in read) return yield read;
  yield* checkVariables(read);
  yield* await limitLook(TOKENS, () => checkTokens(read, terminal.cwd));
  yield* await limitLook(DATA_DIR, () => checkDataDir(read.settings));
  const { checkBackend, checkServer, checkStorages } = await import("./doctor/services.ts");
  const { checkLeftovers, checkStranded } = await import("./doctor/leftovers.ts");
  yield* await checkBackend(read.settings);
  const file = read.settings.configFile;
  try {
    const compiled = await withTimeout({ ms: LOADING_MS, error: endless }, () => compileFile(file, read.env));
    yield checkConfiguration(file, compiled);
    if (compiled.plan !== undefined) {
      yield* await checkStorages(compiled.plan);
      yield* await checkLeftovers(read.settings, compiled.plan);
      yield* await checkStranded(read.settings, compiled.plan);
    }
  } catch (error) {
    yield fail("configuration", reasonOf(error), "name another file with --config or CONSERVER_CONFIG_FILE");
  }
  const { client, url } = connect(terminal, flags);
  yield await checkServer(client, url);
}

function settingsOf(terminal: Terminal, flags: DoctorFlags): ReturnType<typeof settingsFor> | Check {
  try {
    return settingsFor(terminal, { CONSERVER_CONFIG_FILE: flags.config && pathOf(terminal, flags.config) });
  } catch (error) {
    if (!(error instanceof VconError)) throw error;
    return fail(
      "settings",
      error.message.replaceAll("\n", "; "),
      "correct these variables; nothing else can be checked before",
    );
  }
}

const COLOURS: Readonly<Record<CheckStatus, Colour>> = { ok: "green", warn: "yellow", fail: "red" };

function lineOf({ name, status, message, remedy }: Check, paint: Paint): string {
  const first = `${paint(COLOURS[status], status.padEnd(4))} ${name}: ${harmless(message)}\n`;
  return remedy === undefined ? first : `${first}       ${harmless(remedy)}\n`;
}
