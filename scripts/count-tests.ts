import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";

/** What became of the test cases of one vitest run. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Full names of what failed; a file that could not be loaded stands under its path. */
  readonly failures: readonly string[];
}

const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
});

/**
 * Counts the cases in a report of vitest's JSON reporter. A file that failed without a failing case (it does not load,
 * a hook threw) counts as one failure, and so does a run that ended badly without naming any.
 */
export function countTests(report: unknown, exitedWell: boolean): TestCounts {
  const files = Report.parse(report).testResults;
  const cases = files.flatMap((file) => file.assertionResults);
  const failures = files.flatMap((file) => {
    const failed = file.assertionResults.filter((one) => one.status === "failed").map((one) => one.fullName);
    return failed.length === 0 && file.status === "failed" ? [file.name] : failed;
  });
  if (failures.length === 0 && !exitedWell) failures.push("vitest ended with an error outside of any test");
  const passed = cases.filter((one) => one.status === "passed").length;
  const failed = cases.filter((one) => one.status === "failed").length;
  return { passed, failed: failures.length, skipped: cases.length - passed - failed, failures };
}

/** The same for a report on disk; a missing or unreadable one is a failure, never zero tests. */
export function countTestsIn(file: string, exitedWell: boolean): TestCounts {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0, failures: ["vitest wrote no report"] };
  try {
    return countTests(JSON.parse(readFileSync(file, "utf8")), exitedWell);
  } catch (error) {
    return { passed: 0, failed: 1, skipped: 0, failures: [`vitest's report cannot be read: ${String(error)}`] };
  }
}
