import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countTestsIn, type TestCounts } from "./count-tests.ts";

/** One thing the gate does: a program run with this Node from the root. */
export interface Step {
  readonly name: string;
  /** Script and arguments. */
  readonly run: readonly string[];
  /** The script is vitest: its cases are counted. */
  readonly tests?: boolean;
  /** Show the output as it comes instead of only after a failure. */
  readonly live?: boolean;
  readonly limitMs: number;
}

export interface StepResult extends TestCounts {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly output: string;
}

/** Runs a step to its end, to its time limit, or until `signal` aborts. Never rejects. */
export async function runStep(step: Step, root: string, signal: AbortSignal): Promise<StepResult> {
  const began = performance.now();
  const scratch = mkdtempSync(join(tmpdir(), "vcon-server-check-"));
  const report = join(scratch, "report.json");
  const reporting = step.tests ? ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`] : [];
  const limit = AbortSignal.timeout(step.limitMs);
  try {
    const ended = await spawned(
      [...step.run, ...reporting],
      root,
      step.live === true,
      AbortSignal.any([signal, limit]),
    );
    const output = limit.aborted ? `${ended.output}\nstopped after ${step.limitMs / 60_000} minutes` : ended.output;
    const ok = ended.code === 0;
    const counts = step.tests ? countTestsIn(report, ok) : plainCounts(step.name, ok);
    return {
      ...counts,
      name: step.name,
      ok: ok && counts.failed === 0,
      seconds: (performance.now() - began) / 1000,
      output,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const plainCounts = (name: string, ok: boolean): TestCounts =>
  ok ? { passed: 0, failed: 0, skipped: 0, failures: [] } : { passed: 0, failed: 1, skipped: 0, failures: [name] };

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function spawned(args: readonly string[], cwd: string, live: boolean, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const stdio = live ? ("inherit" as const) : ("pipe" as const);
    const child = spawn(process.execPath, [...process.execArgv, ...args], { cwd, stdio: ["ignore", stdio, stdio] });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
    const stop = () => {
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 10_000).unref();
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const end = (code: number | null, last = "") => {
      signal.removeEventListener("abort", stop);
      resolve({ code, output: Buffer.concat(chunks).toString("utf8") + last });
    };
    child.on("error", (error) => end(1, error.message));
    child.on("close", (code) => end(code));
  });
}
