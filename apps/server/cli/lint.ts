import { type ConfigFinding, decodeText, findingText } from "@vcon-server/core/config";
import type { AddVerb, Cli } from "./cli.ts";
import { compileFile, compileText, settingsFor } from "./configured.ts";
import type { ExitCode } from "./failure.ts";
import { readAll } from "./input.ts";
import { harmless, paintFor, pathOf, type Terminal } from "./terminal.ts";

interface LintFlags {
  readonly json?: boolean;
  readonly strict?: boolean;
}

export const addLint: AddVerb = (cli) => {
  cli
    .verb("lint", {
      summary: "Check configurations: all problems at once, with their places and remedies.",
      examples: [
        ["lint", "checks the configuration the server would use"],
        ["lint --strict config/*.yml", "checks these, and warnings count as well"],
      ],
    })
    .argument("[files...]", "configurations; - reads standard input")
    .option("--strict", "end with 3 for warnings too")
    .action(async (files: readonly string[], flags: LintFlags) => {
      cli.exit(await lint(cli, files, flags));
    });
};

async function lint({ terminal }: Cli, files: readonly string[], flags: LintFlags): Promise<ExitCode> {
  const { settings, env } = settingsFor(terminal);
  const findings: ConfigFinding[] = [];
  for (const name of files.length > 0 ? files : [settings.configFile]) {
    const compiled =
      name === "-"
        ? await compileText(decodeText(await readAll(terminal.stdin)), "<stdin>", env)
        : await compileFile(pathOf(terminal, name), env, name);
    findings.push(...compiled.findings);
  }
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  if (flags.json) terminal.out.write(`${JSON.stringify({ errors, warnings, findings }, null, 2)}\n`);
  else print(terminal, findings, { errors, warnings });
  return errors > 0 || (flags.strict === true && warnings > 0) ? 3 : 0;
}

function print(
  terminal: Terminal,
  findings: readonly ConfigFinding[],
  count: { readonly errors: number; readonly warnings: number },
): void {
  const paint = paintFor(terminal.out, terminal.env);
  for (const finding of findings) {
    const severity = paint(finding.severity === "error" ? "red" : "yellow", finding.severity);
    terminal.out.write(`${severity} ${harmless(findingText(finding))}\n`);
  }
  const plural = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  terminal.err.write(
    findings.length === 0
      ? "no problems\n"
      : `${plural(count.errors, "error")}, ${plural(count.warnings, "warning")}\n`,
  );
}
