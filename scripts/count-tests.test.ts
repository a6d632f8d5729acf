import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { countTests, countTestsIn } from "./count-tests.ts";

const file = (name: string, status: string, ...cases: [string, string][]) => ({
  name,
  status,
  assertionResults: cases.map(([fullName, caseStatus]) => ({ fullName, status: caseStatus })),
});

test("counts cases, and a file that does not load as one failure", () => {
  const report = {
    testResults: [
      file("a.test.ts", "failed", ["a works", "passed"], ["a breaks", "failed"], ["a waits", "skipped"]),
      file("b.test.ts", "failed"),
      file("c.test.ts", "passed", ["c works", "passed"]),
    ],
  };
  expect(countTests(report, false)).toEqual({ passed: 2, failed: 2, skipped: 1, failures: ["a breaks", "b.test.ts"] });
});

test("a run that ended badly without a failing case is a failure", () => {
  const report = { testResults: [file("a.test.ts", "passed", ["a works", "passed"])] };
  expect(countTests(report, false)).toMatchObject({ passed: 1, failed: 1 });
  expect(countTests(report, true)).toMatchObject({ passed: 1, failed: 0 });
});

test("a missing or broken report is a failure", () => {
  const folder = mkdtempSync(join(tmpdir(), "reports-"));
  const broken = join(folder, "broken.json");
  writeFileSync(broken, "{");
  for (const report of [broken, join(folder, "absent.json")]) {
    expect(countTestsIn(report, true)).toMatchObject({ passed: 0, failed: 1 });
  }
  rmSync(folder, { recursive: true });
});
