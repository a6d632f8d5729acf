// The gate: `check` is what every change must pass; `test` prepares the machine, then adds the tests across processes.
import { join } from "node:path";
import { missingServers, provideServers } from "./servers.ts";
import { runStep, type Step, type StepResult } from "./step.ts";

const root = join(import.meta.dirname, "..");
const minutes = (count: number) => count * 60_000;
const vitest = join("node_modules", "vitest", "vitest.mjs");

// absolute paths: vitest would take a bare word for any part of a path
const unitTests = ["packages", "apps", "scripts"].map((folder) => join(root, folder, "/"));

const CHECK: readonly Step[] = [
  {
    name: "format and lint",
    run: [join("node_modules", "@biomejs", "biome", "bin", "biome"), "check", "--max-diagnostics=100"],
    limitMs: minutes(5),
  },
  { name: "types", run: [join("node_modules", "typescript", "bin", "tsc"), "-p", "."], limitMs: minutes(5) },
  { name: "generated files", run: [join("scripts", "gen.ts"), "--check"], limitMs: minutes(5) },
  { name: "unit tests", run: [vitest, "run", ...unitTests], tests: true, limitMs: minutes(30) },
];

/** They start servers and worker processes: one file at a time on a small machine. */
const ACROSS: Step = {
  name: "tests across processes",
  run: [vitest, "run", "--no-file-parallelism", join(root, "tests", "/")],
  tests: true,
  live: true,
  limitMs: minutes(45),
};

async function main(verb: string, filters: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interrupted.abort());
  if (verb === "test" && missingServers().length > 0 && !provideServers(say)) {
    say("1 step failed: the servers that the tests start are not installed");
    console.log("0 passed, 1 failed");
    return 1;
  }
  const results: StepResult[] = [];
  for (const step of stepsOf(verb, filters)) {
    if (interrupted.signal.aborted) break;
    results.push(await shown(step, interrupted.signal));
  }
  return summary(verb, results, interrupted.signal.aborted);
}

function stepsOf(verb: string, filters: readonly string[]): readonly Step[] {
  if (filters.length > 0) {
    return [{ name: "chosen tests", run: [vitest, "run", ...filters], tests: true, live: true, limitMs: minutes(45) }];
  }
  return verb === "test" ? [...CHECK, ACROSS] : CHECK;
}

async function shown(step: Step, signal: AbortSignal): Promise<StepResult> {
  if (process.stderr.isTTY) process.stderr.write(`${step.name} …\r`);
  else if (step.live) say(`${step.name} …`);
  const result = await runStep(step, root, signal);
  const cases = step.tests ? `, ${result.passed} passed, ${result.failed} failed` : "";
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : "";
  if (!result.ok) console.error(result.output.trimEnd());
  say(`${result.ok ? "ok  " : "FAIL"} ${step.name} (${result.seconds.toFixed(1)} s${cases}${skipped})`);
  return result;
}

function summary(verb: string, results: readonly StepResult[], interrupted: boolean): number {
  const failures = results.flatMap((result) => result.failures.map((failure) => `${result.name}: ${failure}`));
  if (failures.length > 0) say(`\nfailed:\n${failures.map((failure) => `  ${failure}`).join("\n")}`);
  if (interrupted) say("interrupted: not every step ran");
  const sum = (pick: (result: StepResult) => number) => results.reduce((total, result) => total + pick(result), 0);
  const [passed, failed] = [sum((result) => result.passed), sum((result) => result.failed)];
  if (verb === "test") console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 || interrupted ? 1 : 0;
}

function say(line: string): void {
  console.error(line);
}

const [verb = "check", ...filters] = process.argv.slice(2);
process.exitCode = await main(verb, filters);
