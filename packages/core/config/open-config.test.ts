// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of the configuration
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import type { Clock } from "../plugin/link.ts";
import { createEvents } from "../telemetry/events.ts";
import { silent } from "../telemetry/logger.ts";
import { writeConfigFile } from "./config-file.ts";
import { openConfig } from "./open-config.ts";
import { testRegistry } from "./test-registry.ts";

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-"));
  file = join(folder, "config.yml");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const GOOD = `# what we do
chains:
  sales: # our only chain
    links: [sampler]
    storages: [rows]
storages:
  rows:
    module: postgres
    options:
      host: \${PGHOST} # from the environment
      password: hunter2
      url: postgres://me:pw@db/x
ingress_auth:
  sales_ingress: [first-key-of-a-partner, second-key-of-a-partner]
`;

const OTHER = GOOD.replace("sales: #", "support: #").replace("sales_ingress", "support_ingress");

const still: Clock = { now: () => 0, sleep: async () => undefined };

async function open(clock: Clock = still, more: Readonly<Record<string, string>> = {}) {
  const seen: string[] = [];
  const events = createEvents({ log: silent });
  events.on("*", ({ type }) => void seen.push(type));
  const source = await openConfig({
    file,
    env: { PGHOST: "db1", ...more },
    registry: testRegistry(),
    log: silent,
    events,
    every: 0,
    clock,
  });
  source.onChange((plan) => seen.push(plan.chains.map(({ name }) => name).join()));
  return { source, seen };
}

describe("the first version", () => {
  test("must be good: the error carries every finding", async () => {
    await writeFile(file, "chains: {a: {links: [nope], timeout: x}}");
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VconError);
    expect(error).toMatchObject({ code: "VCON_CONFIG_INVALID" });
    expect(String(error)).toMatch(/has 2 errors\n.*config\.yml:1:22 .*\n.*config\.yml:1:38 /);
    expect(error).toHaveProperty("details.findings.length", 2);
  });

  test("must be there", async () => {
    await expect(open()).rejects.toMatchObject({ code: "VCON_CONFIG_UNREADABLE", message: /does not exist/ });
  });
});

describe("a file that changes", () => {
  test("is taken when it is good", async () => {
    await writeFile(file, GOOD);
    const { source, seen } = await open();
    await writeFile(file, OTHER);
    await source.check();
    await source.check();
    expect(source.plan.chains.map(({ name }) => name)).toEqual(["support"]);
    expect(seen).toEqual(["support", "config.changed"]);
  });

  test("is refused when it is not, once for each content, and the last good version stays", async () => {
    await writeFile(file, GOOD);
    const { source, seen } = await open();
    const { version } = source.plan;
    await writeFile(file, "chains: {a: {links: [nope]}}");
    await source.check();
    await source.check();
    expect(source.plan.version).toBe(version);
    expect(seen).toEqual(["config.rejected"]);
    await writeFile(file, OTHER);
    await source.check();
    expect(seen).toEqual(["config.rejected", "support", "config.changed"]);
  });

  test("changes nothing while it is empty, gone, or back to what it was", async () => {
    await writeFile(file, GOOD);
    const { source, seen } = await open();
    for (const change of [() => writeFile(file, ""), () => rm(file), () => writeFile(file, GOOD)]) {
      await change();
      await source.check();
    }
    expect(seen).toEqual([]);
  });

  test("is left alone while somebody is writing it", async () => {
    await writeFile(file, GOOD);
    let writing = true;
    const { source, seen } = await open({
      now: () => 0,
      sleep: async () => void (writing && (await writeFile(file, OTHER))),
    });
    await writeFile(file, OTHER.slice(0, OTHER.indexOf("storages:\n"))); // a valid prefix
    await source.check();
    expect(seen).toEqual([]);
    writing = false;
    await source.check();
    expect(seen).toEqual(["support", "config.changed"]);
  });

  test("is noticed behind a link and after a rename", async () => {
    await mkdir(join(folder, "v1"));
    await writeFile(join(folder, "v1", "c.yml"), GOOD);
    await symlink(join(folder, "v1", "c.yml"), file);
    const { source, seen } = await open();
    await writeFile(join(folder, "other.yml"), OTHER);
    await rename(join(folder, "other.yml"), file);
    await source.check();
    expect(seen).toContain("support");
  });

  test("is noticed without being asked", async () => {
    await writeFile(file, GOOD);
    const source = await openConfig({
      file,
      env: { PGHOST: "h" },
      registry: testRegistry(),
      log: silent,
      every: 5,
      clock: still,
    });
    const changed = new Promise((resolve) => source.onChange(resolve));
    await writeFile(file, OTHER);
    await changed;
    source.close();
  });
});

describe("replacing the configuration", () => {
  test("keeps references, secrets and comments of what is sent back as it was shown", async () => {
    await writeFile(file, GOOD);
    await chmod(file, 0o640);
    const { source, seen } = await open();
    const shown = structuredClone(source.plan.shown);
    expect(JSON.stringify(shown)).not.toMatch(/hunter2|:pw@|key-of/);
    expect(
      await source.replace({ ...shown, chains: { sales: { links: ["sampler", "sampler"], storages: ["rows"] } } }),
    ).toEqual([]);
    expect(await readFile(file, "utf8")).toBe(
      GOOD.replace("sales: #", "sales:\n    #").replace("links: [sampler]", "links:\n      - sampler\n      - sampler"),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(await readdir(folder)).toEqual(["config.yml"]);
    expect(source.plan.chains[0]?.links).toHaveLength(2);
    expect(seen).toEqual(["sales", "config.changed"]);
    await source.check();
    expect(seen).toHaveLength(2);
  });

  test("with a mistake changes nothing and tells all of them", async () => {
    await writeFile(file, GOOD);
    const { source, seen } = await open();
    const findings = await source.replace({ chains: { a: { links: ["nope"], storages: ["nope"] } } });
    expect(findings.map(({ code }) => code)).toEqual(["VCON_CONFIG_UNKNOWN_LINK", "VCON_CONFIG_UNKNOWN_STORAGE"]);
    expect(await readFile(file, "utf8")).toBe(GOOD);
    expect(seen).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["nothing", null],
    ["a list", []],
    ["a text", "chains: {}"],
  ])("%s is refused", async (_, document) => {
    await writeFile(file, GOOD);
    const { source } = await open();
    expect((await source.replace(document)).some(({ severity }) => severity === "error")).toBe(true);
    expect(await readFile(file, "utf8")).toBe(GOOD);
  });

  test.each<[string, object, string]>([
    ["nothing", {}, "VCON_CONFIG_EMPTY"],
    ["chains without one", { chains: {} }, "VCON_CONFIG_NO_CHAIN"],
    ["everything but chains", { storages: { rows: { module: "postgres" } } }, "VCON_CONFIG_NO_CHAIN"],
  ])("by %s is refused, the file stays", async (_, document, code) => {
    await writeFile(file, GOOD);
    const { source, seen } = await open();
    const findings = await source.replace(document);
    expect(findings.filter(({ severity }) => severity === "error")).toMatchObject([
      { code, remedy: expect.stringContaining("enabled: false") },
    ]);
    expect([await readFile(file, "utf8"), seen]).toEqual([GOOD, []]);
  });

  test("by chains that are all disabled stops them and says so", async () => {
    await writeFile(file, GOOD);
    const { source } = await open();
    const findings = await source.replace({ chains: { sales: { links: ["sampler"], enabled: false } } });
    expect(findings).toMatchObject([{ code: "VCON_CONFIG_NO_CHAIN", severity: "warning" }]);
    expect(source.plan.chains).toMatchObject([{ name: "sales", enabled: false }]);
  });

  test("is refused when the file has changed meanwhile", async () => {
    await writeFile(file, GOOD);
    const { source } = await open();
    await writeFile(file, OTHER);
    await expect(source.replace(source.plan.shown)).rejects.toMatchObject({ code: "VCON_CONFLICT" });
    expect(await readFile(file, "utf8")).toBe(OTHER);
  });

  test("writes behind a link, and leaves the link", async () => {
    await mkdir(join(folder, "real"));
    await writeFile(join(folder, "real", "c.yml"), GOOD);
    await symlink("real/c.yml", file);
    const { source } = await open();
    expect(await source.replace({ chains: { a: { links: ["sampler"] } } })).toEqual([]);
    expect((await readFile(join(folder, "real", "c.yml"), "utf8")).trim()).toMatch(/^(# what we do\n)?chains:\n {2}a:/);
    expect(await readdir(folder)).toEqual(["config.yml", "real"]);
  });

  test("says so where the file cannot be replaced", async () => {
    await expect(writeConfigFile("/proc/version", { text: GOOD, mode: 0o600 })).rejects.toMatchObject({
      code: "VCON_CONFLICT",
      message: /cannot be replaced here/,
    });
  });

  test("masks that stand for nothing are refused", async () => {
    await writeFile(file, GOOD);
    const { source } = await open();
    const rows = (options: object) => ({ ...source.plan.shown, storages: { rows: { module: "postgres", options } } });
    const told = async (document: unknown) =>
      (await source.replace(document)).map(({ code, path }) => `${code} ${path}`);
    expect(await told(rows({ password: "***", url: "postgres://me:***@elsewhere/x" }))).toEqual([
      "VCON_CONFIG_SECRET_KEPT storages.rows.options.url",
    ]);
    expect(await told({ ...source.plan.shown, ingress_auth: { sales_ingress: ["***"] } })).toEqual([
      "VCON_CONFIG_SECRET_KEPT ingress_auth.sales_ingress[0]",
    ]);
    expect(await told({ ...source.plan.shown, ingress_auth: { other: "***" } })).toEqual([
      "VCON_CONFIG_SECRET_KEPT ingress_auth.other",
    ]);
  });

  test("what was read before another version was made is restored, with its secrets, references and comments", async () => {
    await writeFile(file, GOOD, { mode: 0o600 });
    const { source } = await open();
    const read = structuredClone(source.plan.shown);
    const replaced = {
      chains: { other: { links: ["sampler"], storages: ["rows"] } },
      storages: { rows: { module: "file" } },
    };
    expect(await source.replace(replaced)).toEqual([]);
    expect(await source.replace(read)).toEqual([]);
    expect(await readFile(file, "utf8")).toBe(GOOD);
    expect(source.plan.storages[0]?.options).toMatchObject({ host: "db1", password: "hunter2" });
  });

  test("a mask takes its secret from the newest version that had one in its place", async () => {
    await writeFile(file, GOOD, { mode: 0o600 });
    const { source } = await open();
    const read = structuredClone(source.plan.shown);
    const rows = (options: object) => ({ storages: { rows: { module: "postgres", options } } });
    const changed = { ...read, ...rows({ host: "db1", password: "hunter3", url: "postgres://me:***@db/x" }) };
    expect(await source.replace(changed)).toEqual([]);
    expect(await source.replace({ chains: { other: { links: ["sampler"] } } })).toEqual([]);
    expect(await source.replace({ ...read, "x-note": "edited" })).toEqual([]);
    expect(source.plan.storages[0]?.options).toMatchObject({ password: "hunter3", url: "postgres://me:pw@db/x" });
    expect(source.plan.ingressAuth.get("sales_ingress")).toEqual(["first-key-of-a-partner", "second-key-of-a-partner"]);
  });

  test("files are read only from the folder the operator names, whatever leads there", async () => {
    const secrets = join(folder, "secrets");
    await mkdir(secrets);
    await writeFile(join(secrets, "pg"), "from-a-file\n");
    await writeFile(join(folder, "outside"), "not for everybody");
    await symlink(join(folder, "outside"), join(secrets, "link"));
    await writeFile(file, "chains: {a: {links: []}}", { mode: 0o600 });
    const sending = (name: string) => ({
      chains: { a: { links: [], storages: ["rows"] } },
      storages: { rows: { module: "postgres", options: { password: `\${file:${name}}` } } },
    });
    const { source } = await open(still, { CONSERVER_SECRETS_DIR: secrets });
    const { source: closed } = await open();
    const attempts: readonly (readonly [typeof source, string])[] = [
      [source, "outside"],
      [source, "secrets/../outside"],
      [source, join(secrets, "link")],
      [source, secrets],
      [source, "/proc/self/environ"],
      [closed, join(secrets, "pg")],
    ];
    for (const [one, name] of attempts) {
      expect(await one.replace(sending(name)), name).toMatchObject([
        { code: "VCON_CONFIG_VARIABLE_FILE", path: "storages.rows.options.password", remedy: /CONSERVER_SECRETS_DIR/ },
      ]);
    }
    expect(await source.replace(sending("secrets/pg"))).toEqual([]);
    expect(source.plan.storages[0]?.options).toMatchObject({ password: "from-a-file" });
  });

  test("what the operator wrote into the file stays readable, in its place and nowhere else", async () => {
    await writeFile(join(folder, "pw"), "from-a-file\n");
    const written = GOOD.replace("hunter2", '"${file:pw}"');
    await writeFile(file, written, { mode: 0o600 });
    const { source } = await open();
    expect(await source.replace({ ...source.plan.shown, "x-note": "edited" })).toEqual([]);
    expect(source.plan.storages[0]?.options).toMatchObject({ password: "from-a-file" });
    const read = structuredClone(source.plan.shown);
    expect(await source.replace({ chains: { a: { links: ["sampler"] } } })).toEqual([]);
    expect(await source.replace(read)).toEqual([]);
    expect(source.plan.storages[0]?.options).toMatchObject({ password: "from-a-file" });
    const moved = { ...source.plan.shown, "x-note": "${file:pw}" };
    expect(await source.replace(moved)).toMatchObject([{ code: "VCON_CONFIG_VARIABLE_FILE", path: "x-note" }]);
  });

  test("changes that come together are made one after the other", async () => {
    await writeFile(file, GOOD);
    const { source } = await open();
    const results = await Promise.allSettled(
      ["a", "b", "c"].map((name) => source.replace({ chains: { [name]: { links: ["sampler"] } } })),
    );
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    expect(source.plan.chains.map(({ name }) => name)).toEqual(["c"]);
  });
});
