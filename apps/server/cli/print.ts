import { type SettingsRead, VARIABLES, type Variable, type VariableName } from "@vcon-server/core/config";
import { stringify } from "yaml";
import type { AddVerb, Cli } from "./cli.ts";
import { compileFile, settingsFor } from "./configured.ts";
import type { ExitCode } from "./failure.ts";
import { harmless, type Paint, paintFor, pathOf, type Terminal } from "./terminal.ts";

interface PrintFlags {
  readonly config?: string;
  readonly json?: boolean;
}

export const addPrint: AddVerb = (cli) => {
  cli
    .verb("print", {
      summary: "Show the settings and the configuration as the server would use them, secrets masked.",
      examples: [
        ["print", "each setting with where it comes from, then the configuration with its variables resolved"],
      ],
    })
    .option("-c, --config <file>", "configuration (CONSERVER_CONFIG_FILE)")
    .action(async (flags: PrintFlags) => {
      cli.exit(await print(cli, flags));
    });
};

async function print({ terminal }: Cli, flags: PrintFlags): Promise<ExitCode> {
  const read = settingsFor(terminal, { CONSERVER_CONFIG_FILE: flags.config && pathOf(terminal, flags.config) });
  const settings = shownSettings(read, flags.config === undefined ? [] : ["CONSERVER_CONFIG_FILE"]);
  const { plan, findings } = await compileFile(read.settings.configFile, read.env);
  const errors = findings.filter(({ severity }) => severity === "error").length;
  if (flags.json) {
    const configuration =
      plan === undefined ? null : { file: read.settings.configFile, version: plan.version, document: plan.shown };
    terminal.out.write(`${JSON.stringify({ settings, configuration, errors }, null, 2)}\n`);
  } else {
    printSettings(terminal, settings);
    const heading = `# ${read.settings.configFile}${plan === undefined ? "" : `, version ${plan.version}`}`;
    terminal.out.write(`\n${paintFor(terminal.out, terminal.env)("dim", harmless(heading))}\n`);
    if (plan !== undefined) terminal.out.write(harmless(stringify(plan.shown)));
  }
  if (plan !== undefined) return 0;
  terminal.err.write(`the configuration has ${errors} error${errors === 1 ? "" : "s"}: see \`vcon-server lint\`\n`);
  return 3;
}

interface ShownSetting {
  readonly name: VariableName;
  /** Masked where it is secret; null where it is unset. */
  readonly value: string | null;
  readonly source: string;
}

function shownSettings({ env, sources }: SettingsRead, flags: readonly VariableName[]): ShownSetting[] {
  return [...sources].map(([name, source]) => {
    const variable: Variable = VARIABLES[name];
    const value = env[name] || variable.fallback;
    return {
      name,
      value: value === undefined ? null : masked(value, variable),
      source: flags.includes(name) ? "flag" : source,
    };
  });
}

function masked(value: string, { secret }: Variable): string {
  if (secret === "whole") return "***";
  return secret === "password"
    ? value.replace(/\/\/([^@/]*):[^@/]*@/g, "//$1:***@").replace(/\/\/:[^@/]*@/g, "//:***@")
    : value;
}

function printSettings(terminal: Terminal, settings: readonly ShownSetting[]): void {
  const paint: Paint = paintFor(terminal.out, terminal.env);
  const width = Math.max(...settings.map(({ name }) => name.length));
  const widest = Math.max(...settings.map(({ value }) => Math.min(value?.length ?? 1, 48)));
  terminal.out.write(`${paint("dim", "# settings")}\n`);
  for (const { name, value, source } of settings) {
    const shown = harmless(value ?? "-").padEnd(widest);
    const from = source === "default" || source === "unset" ? paint("dim", source) : paint("cyan", source);
    terminal.out.write(`${name.padEnd(width)}  ${shown}  ${from}\n`);
  }
}
