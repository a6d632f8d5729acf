import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const repository = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "vcon server run "));
const root = join(scratch, "a clone");
const elsewhere = join(scratch, "elsewhere");
const stub = join(root, "bench", "main.ts");

const manifest = { name: "clone", version: "1.0.0", private: true, type: "module", workspaces: ["packages/*"] };
const member = { name: "member", version: "1.0.0" };
const lock = {
  name: "clone",
  version: "1.0.0",
  lockfileVersion: 3,
  requires: true,
  packages: {
    "": manifest,
    "node_modules/member": { resolved: "packages/member", link: true },
    "packages/member": member,
  },
};
const writeLock = (content: unknown) => writeFileSync(join(root, "package-lock.json"), JSON.stringify(content));

beforeAll(() => {
  for (const folder of ["bench", "scripts", "apps/server/cli", "packages/member"])
    mkdirSync(join(root, folder), { recursive: true });
  mkdirSync(elsewhere);
  for (const file of [
    "scripts/run.mjs",
    "scripts/install.mjs",
    "apps/server/cli/find-node.mjs",
    "apps/server/cli/run-node.mjs",
  ]) {
    cpSync(join(repository, file), join(root, file));
  }
  writeFileSync(join(root, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(root, "packages/member/package.json"), JSON.stringify(member));
  writeLock(lock);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

// how the tests themselves were started (`npm run --silent`) must not show in what is started here
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_config_")));

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(root, "scripts", "run.mjs"), ...args], { cwd: elsewhere, env });
}

async function ended(child: ChildProcess) {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += String(chunk)));
  const [code, signal] = await once(child, "close");
  return { code, signal, output };
}

test("installs once, again when the lockfile changed, and runs TypeScript from the root", async () => {
  writeFileSync(stub, 'const where: string = process.cwd();\nconsole.log(where, process.argv.slice(2).join("|"));\n');
  const first = await ended(start("bench", "one two", "--three"));
  expect(first).toMatchObject({ code: 0 });
  expect(first.output).toContain("installing packages (npm ci)");
  expect(first.output).toContain(`${root} one two|--three`);

  expect((await ended(start("bench"))).output).not.toContain("installing");

  writeLock({ ...lock, packages: { ...lock.packages, "packages/member": { ...member, version: "2.0.0" } } });
  writeFileSync(join(root, "packages/member/package.json"), JSON.stringify({ ...member, version: "2.0.0" }));
  expect((await ended(start("bench"))).output).toContain("installing");
});

test("installs nothing when npm's own record matches, as after npm install", async () => {
  const record = join(root, "node_modules", ".package-lock.json");
  const other = { version: "1.0.0", optional: true, os: ["another"] };
  const same = { ...lock, packages: { ...lock.packages, "node_modules/other": other } };
  writeLock(same);
  writeFileSync(record, JSON.stringify({ ...lock, packages: { ...lock.packages, "": undefined } }));
  expect((await ended(start("bench"))).output).not.toContain("installing");
});

test("prints what npm said when it fails, starts nothing, and tries again next time", async () => {
  writeFileSync(join(root, "package.json"), JSON.stringify({ ...manifest, dependencies: { absent: "1.0.0" } }));
  writeLock({ ...lock, packages: { ...lock.packages, "node_modules/absent": { version: "1.0.0" } } });
  for (const _ of [1, 2]) {
    const { code, output } = await ended(start("bench"));
    expect(code).toBe(1);
    expect(output).toMatch(/npm error/);
    expect(output).toContain("installing packages failed: npm ci ended with 1");
    expect(output).not.toContain(root);
  }
  writeFileSync(join(root, "package.json"), JSON.stringify(manifest));
  writeLock(lock);
});

test("ends with the exit code of what it ran", async () => {
  writeFileSync(stub, "process.exitCode = 7;\n");
  expect(await ended(start("bench"))).toMatchObject({ code: 7, signal: null });
});

test("passes SIGTERM on and waits for a graceful end", async () => {
  writeFileSync(
    stub,
    'process.once("SIGTERM", () => process.exit(9));\nsetInterval(() => {}, 1000);\nconsole.log("up");\n',
  );
  const child = start("bench");
  await once(child.stdout ?? child, "data");
  child.kill("SIGTERM");
  expect(await ended(child)).toMatchObject({ code: 9 });
});

test("dies of the signal that killed what it ran", async () => {
  writeFileSync(stub, 'process.kill(process.pid, "SIGKILL");\n');
  expect(await ended(start("bench"))).toMatchObject({ code: null, signal: "SIGKILL" });
});

test("refuses a verb it does not know", async () => {
  const { code, output } = await ended(start("strat"));
  expect(code).toBe(2);
  expect(output).toContain('there is no "strat" here; use one of: start, cli, check, test');
});

test("continuous integration runs the README's test command", () => {
  expect(
    readFileSync(join(repository, ".ci", "run"), "utf8")
      .trimEnd()
      .split("\n")
      .at(-1),
  ).toBe("exec npm test");
  expect(readFileSync(join(repository, "README.md"), "utf8")).toMatch(/^npm test\b/m);
});
