import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { plain, run } from "./test-terminal.ts";

const cwd = mkdtempSync(join(tmpdir(), "configuration-"));
afterAll(() => rmSync(cwd, { recursive: true }));

const repository = join(import.meta.dirname, "..", "..", "..", "..");

const good = `
ingress_auth:
  partner_list: [a-key-of-a-partner-0123456789]
links:
  mark: { module: tag, options: { tags: ["\${MARK:-seen}"] } }
storages:
  archive: { module: postgres, options: { host: db, password: hunter2-hunter2 } }
chains:
  sales:
    ingress_lists: [sales_ingress, partner_list]
    links: [mark]
    storages: [archive]
    egress_lists: [sales_egress]
`;
writeFileSync(join(cwd, "good.yml"), good, { mode: 0o600 });
writeFileSync(join(cwd, "bad.yml"), good.replace("links: [mark]", "links: [mork]\n    strages: [archive]"), {
  mode: 0o600,
});

test("lint: nothing to say about the configurations that come with the server", async () => {
  const quickstart = join(repository, "config", "quickstart.yml");
  expect(await run(["lint", "--strict", quickstart], { cwd })).toEqual({ code: 0, out: "", err: "no problems\n" });
});

test("lint: nothing to say about the README's example", async () => {
  const readme = readFileSync(join(repository, "README.md"), "utf8");
  const stdin = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(stdin).toContain("chains:");
  expect(await run(["lint", "--strict", "-"], { cwd, stdin })).toMatchObject({ code: 0, out: "" });
});

test("lint: every problem on a line with place, reason and remedy; 3 is the exit code", async () => {
  const { code, out, err } = await run(["lint", "bad.yml"], { cwd });
  expect(code).toBe(3);
  expect(out).toMatch(/^error bad\.yml:11:\d+ chains\.sales\.links\[0\]: .*mork.*mark/m);
  expect(out).toMatch(/^error bad\.yml:12:\d+ chains\.sales\.strages: .*storages/m);
  expect(err).toMatch(/^2 errors, \d warnings?\n$/);
});

test("lint: the same for programs, and from standard input", async () => {
  const { code, out } = await run(["lint", "--json", "-"], { cwd, stdin: "chains: { a: 1 }" });
  expect(code).toBe(3);
  const { errors, findings } = JSON.parse(out);
  expect(errors).toBeGreaterThan(0);
  expect(findings[0]).toMatchObject({
    severity: "error",
    file: "<stdin>",
    line: 1,
    code: expect.stringMatching(/^VCON_CONFIG_/),
  });
});

test("lint: warnings end with 0 unless they shall count", async () => {
  writeFileSync(join(cwd, "unused.yml"), good.replace("links: [mark]", "links: []"), { mode: 0o600 });
  expect(await run(["lint", "unused.yml"], { cwd })).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^warning /),
  });
  expect(await run(["lint", "unused.yml", "--strict"], { cwd })).toMatchObject({ code: 3 });
});

test("lint: a file that is not UTF-8 is an error with its line, and the rest is told as well", async () => {
  const text =
    "chains:\n  c: { links: [t] }\nlinks:\n  t: { module: tag, options: { tags: [réclamation], nonsense: 1 } }\n";
  writeFileSync(join(cwd, "latin1.yml"), Buffer.from(text, "latin1"), { mode: 0o600 });
  const { code, out, err } = await run(["lint", "latin1.yml"], { cwd });
  expect({ code, err }).toEqual({ code: 3, err: "2 errors, 0 warnings\n" });
  expect(out).toContain("error latin1.yml:4:40 the file is not UTF-8 from here on; save it as UTF-8\n");
  expect(out).toContain("nonsense");
  writeFileSync(join(cwd, "wide.yml"), Buffer.from(`\uFEFF${text}`, "utf16le"), { mode: 0o600 });
  expect((await run(["lint", "wide.yml"], { cwd })).out).toContain("wide.yml:1:1 the file is UTF-16, not UTF-8");
  writeFileSync(join(cwd, "marked.yml"), `\uFEFF${text.replace(", nonsense: 1", "")}`, { mode: 0o600 });
  expect(await run(["lint", "marked.yml"], { cwd })).toMatchObject({ code: 0, err: "no problems\n" });
});

test("lint: a file that is not there is a failure with its name", async () => {
  const { code, err } = await run(["lint", "nowhere.yml"], { cwd });
  expect(code).toBe(1);
  expect(err).toMatch(/^VCON_CONFIG_UNREADABLE: .*nowhere\.yml: it does not exist/);
});

test("print: what counts, where it comes from, and no secret", async () => {
  writeFileSync(join(cwd, ".env"), "PORT=9001\nMARK=marked\n");
  const env = {
    CONSERVER_API_TOKEN: "token-0123456789-0123456789",
    REDIS_URL: "redis://user:pass-word@db:6379/0",
    CONSERVER_WORKERS: "3",
  };
  const { code, out } = await run(["print", "--config", "good.yml"], { cwd, env, isTTY: true });
  rmSync(join(cwd, ".env"));
  expect(code).toBe(0);
  const text = plain(out);
  expect(text).toMatch(/^PORT +9001 +\.env$/m);
  expect(text).toMatch(/^CONSERVER_WORKERS +3 +environment$/m);
  expect(text).toMatch(/^HOST +127\.0\.0\.1 +default$/m);
  expect(text).toMatch(/^CONSERVER_CONFIG_FILE +.*good\.yml +flag$/m);
  expect(text).toMatch(/^REDIS_URL +redis:\/\/user:\*\*\*@db:6379\/0 +environment$/m);
  expect(text).toContain("- marked");
  for (const secret of ["token-0123456789", "pass-word", "hunter2", "a-key-of-a-partner"])
    expect(text).not.toContain(secret);
});

test("print: the same for programs; with errors there is nothing to print but the settings", async () => {
  const whole = JSON.parse((await run(["print", "--json", "-c", "good.yml"], { cwd })).out);
  expect(whole.settings).toContainEqual({ name: "PORT", value: "8000", source: "default" });
  expect(whole.configuration.document.storages.archive.options).toEqual({ host: "db", password: "***" });
  const broken = await run(["print", "-c", "bad.yml"], { cwd });
  expect(broken).toMatchObject({ code: 3, err: expect.stringContaining("vcon-server lint") });
});

test("list: every plug-in with its summary; one with its options; programs get all of it", async () => {
  const all = await run(["list"], { cwd });
  expect(all.code).toBe(0);
  expect(all.out).toMatch(/^Links\n(.*\n)* {2}tag_router +\S.*\n(.*\n)*Storages\n(.*\n)* {2}postgres +\S/);
  const one = await run(["list", "links", "links.tag_router"], { cwd });
  expect(one.out).toMatch(/tag_routes \(map of string, required\): \S/);
  const found = JSON.parse((await run(["list", "storages", "--json"], { cwd })).out);
  const password = found
    .find(({ name }: { name: string }) => name === "postgres")
    .options.find(({ name }: { name: string }) => name === "password");
  expect(password).toMatchObject({ type: expect.stringContaining("secret"), description: expect.stringMatching(/\S/) });
});

test("list: what is not there is wrong use", async () => {
  expect(await run(["list", "chains"], { cwd })).toMatchObject({
    code: 2,
    err: expect.stringContaining("links, storages, tracers"),
  });
  expect(await run(["list", "links", "no_such_link"], { cwd })).toMatchObject({
    code: 2,
    err: expect.stringContaining("no_such_link"),
  });
});
