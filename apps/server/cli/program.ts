import { readVersion } from "@vcon-server/core/config";
import { Command, CommanderError } from "commander";
import { addApi } from "./api.ts";
import type { AddVerb, Cli } from "./cli.ts";
import { addCreate } from "./create.ts";
import { addDoctor } from "./doctor.ts";
import { type ExitCode, printFailure, UsageError } from "./failure.ts";
import { addGet } from "./get.ts";
import { addLint } from "./lint.ts";
import { addList } from "./list.ts";
import { addPrint } from "./print.ts";
import { addSend } from "./send.ts";
import { addStart } from "./start.ts";
import type { Terminal } from "./terminal.ts";
import { addTest } from "./test.ts";
import { addWorker } from "./worker.ts";

const VERBS: readonly AddVerb[] = [
  addStart,
  addApi,
  addWorker,
  addLint,
  addPrint,
  addTest,
  addList,
  addSend,
  addGet,
  addDoctor,
  addCreate,
];

/** Runs one command line and resolves with its exit code. Never rejects. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const how = { json: args.includes("--json"), debug: args.includes("--debug") };
  const ended: { code: ExitCode } = { code: 0 };
  const program = createProgram(terminal, (code) => {
    ended.code = code;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return ended.code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return printFailure(terminal, error, how);
    if (error.exitCode === 0) return 0;
    // without a verb commander has printed the help already
    if (error.code === "commander.help") return 2;
    return printFailure(terminal, new UsageError(error.message.replace(/^error: /, "")), how);
  }
}

function createProgram(terminal: Terminal, exit: Cli["exit"]): Command {
  const program = new Command("vcon-server")
    .description("Receives conversations as vCons, runs them through chains of links, and stores the results.")
    .version(readVersion(), "-V, --version", "print the version")
    .helpCommand("help [verb]", "explain a verb")
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureHelp({ helpWidth: Math.min(terminal.out.columns, 120), showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      // the message comes with the exception
      outputError: () => undefined,
    })
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong use, 3 lint findings.");
  const cli: Cli = {
    terminal,
    exit,
    verb: (usage, { summary, examples }) => {
      const shown = examples.map(([line, effect]) => `  $ vcon-server ${line}\n      ${effect}`).join("\n");
      return program
        .command(usage)
        .description(summary)
        .option("--json", "print JSON for programs")
        .option("--debug", "show the stack of an error")
        .addHelpText("after", `\nExample${examples.length > 1 ? "s" : ""}:\n${shown}`);
    },
  };
  for (const add of VERBS) add(cli);
  return program;
}
