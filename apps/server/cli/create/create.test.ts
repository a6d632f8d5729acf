import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { run } from "../tests/test-terminal.ts";
import { nameProblem } from "./scaffold.ts";

const cwd = mkdtempSync(join(tmpdir(), "create "));
afterAll(() => rmSync(cwd, { recursive: true }));

test.each([
  ["link", "link", []],
  ["link", "service-link", ["--service"]],
  ["storage", "storage", []],
])(
  "a new %s (%s) is a package whose test passes at once, and which lints",
  async (kind, folder, flags) => {
    const { code, out, err } = await run(["create", kind, "my_first", "--dir", folder, ...flags], { cwd });
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining("its test passes: npm test") });
    expect(out.trim().split("\n").sort()).toEqual(
      ["README.md", "index.test.ts", "index.ts", "package.json"].map((file) => join(folder, file)),
    );
    const vitest = join(cwd, folder, "node_modules", "vitest", "vitest.mjs");
    const tested = spawnSync(process.execPath, [vitest, "run"], { cwd: join(cwd, folder), encoding: "utf8" });
    expect(tested.stdout + tested.stderr).toMatch(/Tests .*passed/);
    expect(tested.status).toBe(0);
    for (const file of readdirSync(join(cwd, folder)).filter((name) => name.includes("."))) {
      expect(readFileSync(join(cwd, folder, file), "utf8"), file).not.toContain("{{");
    }
    const readme = readFileSync(join(cwd, folder, "README.md"), "utf8");
    const example = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    expect(example).toContain(`module: vcon-${kind}-my-first`);
    writeFileSync(join(cwd, folder, "example.yml"), example.replace(`vcon-${kind}-my-first`, "./index.ts"));
    expect(await run(["lint", join(folder, "example.yml")], { cwd, env: { CRM_TOKEN: "x" } })).toMatchObject({
      code: 0,
      out: "",
    });
  },
  60_000,
);

test("refuses a name that cannot stand in a configuration, and a folder with something in it", async () => {
  expect(await run(["create", "link", "Bad-Name", "--dir", "x"], { cwd })).toMatchObject({ code: 2 });
  expect(await run(["create", "chain", "good", "--dir", "x"], { cwd })).toMatchObject({ code: 2 });
  const taken = await run(["create", "link", "good", "--dir", "."], { cwd });
  expect(taken).toMatchObject({ code: 2, err: expect.stringContaining("is there already") });
  const wrong = await run(["create", "storage", "good", "--service", "--dir", "x"], { cwd });
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("--service is for links") });
});

test.each([
  ["tag", true],
  ["call_summary_2", true],
  ["", false],
  ["2nd", false],
  ["_shared", false],
  ["a__b", false],
  ["../up", false],
  ["a".repeat(41), false],
])("%j as a name: %j", (name, good) => {
  expect(nameProblem(name) === undefined).toBe(good);
});
