import { findingText, readConfigFile } from "@vcon-server/core/config";
import type { AddVerb, Cli } from "./cli.ts";
import { compileFile, settingsFor } from "./configured.ts";
import type { ExitCode } from "./failure.ts";
import { harmless, paintFor, pathOf, type Terminal } from "./terminal.ts";
import { placeholdersFor } from "./test/placeholders.ts";
import type { TestResult } from "./test/run-test.ts";

interface TestFlags {
  readonly json?: boolean;
  readonly filter?: string;
  readonly steps?: boolean;
}

export const addTest: AddVerb = (cli) => {
  cli
    .verb("test", {
      summary: "Run the tests that configurations carry, with every outside service played by a stand-in.",
      examples: [
        ["test", "runs the `tests:` of the configuration the server would use"],
        ["test --steps config/*.yml", "runs those of these, and shows each link's outcome and each request"],
      ],
    })
    .argument("[files...]", "configurations")
    .option("--filter <text>", "only tests with this text in their name")
    .option("--steps", "show what each link did and which requests were made")
    .action(async (files: readonly string[], flags: TestFlags) => {
      cli.exit(await test(cli, files, flags));
    });
};

/** A configuration with its results; none when it has errors. */
interface Tested {
  readonly file: string;
  readonly results: readonly TestResult[] | undefined;
}

async function test({ terminal }: Cli, files: readonly string[], flags: TestFlags): Promise<ExitCode> {
  const { settings } = settingsFor(terminal);
  const tested: Tested[] = [];
  for (const name of files.length > 0 ? files : [settings.configFile]) {
    const one = await testFile(terminal, name, flags.filter ?? "");
    tested.push(one);
    if (!flags.json) print(terminal, one, flags.steps === true);
  }
  if (flags.json) terminal.out.write(`${JSON.stringify(tested.map(asJson), null, 2)}\n`);
  const results = tested.flatMap((one) => one.results ?? []);
  const failed = results.filter(({ passed }) => !passed).length;
  const unfit = tested.filter((one) => one.results === undefined);
  if (!flags.json && (unfit.length === 0 || results.length > 0))
    terminal.err.write(summary(results.length, failed, flags.filter));
  if (unfit.length > 0) {
    const names = unfit.map(({ file }) => file).join(", ");
    if (!flags.json) terminal.err.write(`the tests of ${harmless(names)} were not run: correct the errors first\n`);
    return 3;
  }
  return failed > 0 || results.length === 0 ? 1 : 0;
}

function summary(all: number, failed: number, filter: string | undefined): string {
  if (all > 0) return `${all - failed} passed, ${failed} failed\n`;
  if (filter !== undefined) return `no test has "${filter}" in its name\n`;
  return "there are no tests: add a `tests:` block, see docs/configuration-tests.md\n";
}

async function testFile(terminal: Terminal, name: string, filter: string): Promise<Tested> {
  const file = pathOf(terminal, name);
  const { env } = settingsFor(terminal);
  const { text } = await readConfigFile(file);
  const { plan, tests = [], findings } = await compileFile(file, { ...env, ...placeholdersFor(text, env) }, name);
  for (const finding of findings)
    if (finding.severity === "error") terminal.err.write(`${harmless(findingText(finding))}\n`);
  if (!plan) return { file: name, results: undefined };
  const { runTests } = await import("./test/run-test.ts");
  const chosen = tests.filter((one) => one.name.includes(filter));
  return { file: name, results: await runTests(chosen, { plan, file, signal: terminal.interrupted }) };
}

function print(terminal: Terminal, { file, results = [] }: Tested, steps: boolean): void {
  const paint = paintFor(terminal.out, terminal.env);
  const line = (text: string) => terminal.out.write(`${harmless(text)}\n`);
  if (results.length > 0) line(file);
  for (const { name, passed, objections, ms, run, requests } of results) {
    const mark = passed ? paint("green", "✓") : paint("red", "✗");
    terminal.out.write(`  ${mark} ${harmless(name)} ${paint("dim", `${Math.round(ms)} ms`)}\n`);
    for (const objection of objections) line(`      ${objection}`);
    if (!steps) continue;
    for (const { link, outcome, unchanged } of run?.steps ?? [])
      line(`      ${link}: ${outcome}${unchanged === undefined ? "" : ` (nothing done: ${unchanged})`}`);
    for (const request of requests) line(`      ${request}`);
  }
}

const asJson = ({ file, results }: Tested) => ({
  file,
  results: results?.map(({ run, ...result }) => ({
    ...result,
    ...(run && {
      outcome: run.outcome,
      steps: run.steps,
      sent_to: run.sentTo,
      stored_in: run.storedIn,
      vcon: run.after,
    }),
  })),
});
