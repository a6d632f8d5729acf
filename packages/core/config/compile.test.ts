// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of the configuration
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { compile } from "./compile.ts";
import { findingText } from "./findings.ts";
import { chain, compileText } from "./mistakes.ts";
import { dlqOf } from "./plan.ts";
import { testRegistry } from "./test-registry.ts";

const WHOLE = `
x-common: &common {timeout: 20, retries: {max_attempts: 2}}
links:
  one:
    <<: *common
    module: links.tagger
    options: {tags: [a]}
    on_error: skip
storages:
  rows: {module: storage.pg, breaker: {failures: 2, reset_secs: 3}, give_up_after_secs: 60, read: false}
  files: {module: file}
tracers:
  audit: {module: audit, options: {dlq_vcon_on_error: true}}
  other: {module: tracers.audit}
ingress_auth:
  calls: [0123456789abcdef0, 0123456789abcdef1]
chains:
  first:
    enabled: 1
    ingress_lists: [calls]
    links:
      - one
      - sampler
      - one: {tags: [b, c]}
      - tag_router: {tag_routes: {b: second_ingress}}
    storages: [rows, files]
    required_storages: [rows]
    egress_lists: [done]
    tracers: [audit]
    timeout: 60
    concurrency: 8
    dlq_name: "DLQ:{ingress_list}"
    on_halt: keep
    egress_format_version: "0.0.1"
    json_bodies: value
    profile: strict
  second: {links: [one], storages: [files]}
`;

describe("a configuration becomes a plan", () => {
  test("everything a chain says is in it", async () => {
    const { plan, findings } = await compileText(WHOLE);
    expect(findings.map(findingText)).toEqual([]);
    expect(plan?.chains[0]).toMatchObject({
      name: "first",
      enabled: true,
      ingressLists: ["calls"],
      storages: ["rows", "files"],
      required: ["rows"],
      egressLists: ["done"],
      tracers: ["audit"],
      timeout: 60_000,
      concurrency: 8,
      onHalt: "keep",
      egressVersion: "0.0.1",
      jsonBodies: "value",
      profile: "strict",
    });
    expect(plan?.chains[0] && dlqOf(plan.chains[0], "calls")).toBe("DLQ:calls");
  });

  test("links carry options, limits and policies; inline options go over those of the definition", async () => {
    const { plan } = await compileText(WHOLE);
    const links = plan?.chains[0]?.links ?? [];
    expect(links.map(({ name, plugin, options }) => [name, plugin.name, options])).toEqual([
      ["one", "tag", { tags: ["a"] }],
      ["sampler", "sampler", { method: "percentage", value: 50 }],
      ["one", "tag", { tags: ["b", "c"] }],
      ["tag_router", "tag_router", { tag_routes: { b: "second_ingress" }, forward_original: true }],
    ]);
    expect(links[0]).toMatchObject({
      timeout: 20_000,
      onError: "skip",
      retries: { maxAttempts: 2, initialDelay: 1000 },
    });
  });

  test("storages and tracers carry theirs", async () => {
    const { plan } = await compileText(WHOLE);
    expect(plan?.storages).toMatchObject([
      {
        name: "rows",
        read: false,
        giveUpAfter: 60_000,
        breaker: { failures: 2, reset: 3000 },
        options: { port: 5432 },
      },
      { name: "files", read: true, timeout: 30_000, giveUpAfter: 604_800_000, breaker: { failures: 5, reset: 10_000 } },
    ]);
    expect(plan?.tracers.map(({ name, options }) => [name, options])).toEqual([
      ["audit", { level: "low", dlq_vcon_on_error: true }],
      ["other", { level: "low", dlq_vcon_on_error: false }],
    ]);
    expect(plan?.ingressAuth.get("calls")).toHaveLength(2);
  });

  test("what is left out has its default", async () => {
    const { plan } = await compileText(WHOLE);
    expect(plan?.chains[1]).toMatchObject({
      enabled: true,
      ingressLists: ["second_ingress"],
      required: ["files"],
      egressLists: [],
      tracers: ["audit", "other"],
      timeout: undefined,
      concurrency: undefined,
      dlqName: "second_dlq",
      onHalt: "expire",
      egressVersion: undefined,
      jsonBodies: "text",
      profile: "tolerant",
    });
    expect(plan?.chains[1]?.links[0]?.retries.maxDelay).toBe(30_000);
  });

  test("nobody can change it", async () => {
    const { plan } = await compileText(WHOLE);
    const options = plan?.chains[0]?.links[0]?.options ?? {};
    expect(() => Object.assign(options["tags"] as object, { 0: "changed" })).toThrow(TypeError);
    expect(() => Object.assign(plan?.shown["chains"] as object, { third: {} })).toThrow(TypeError);
  });

  test("its version is the hash of its text", async () => {
    const { plan } = await compileText(WHOLE);
    expect(plan?.version).toBe(createHash("sha256").update(WHOLE).digest("hex").slice(0, 12));
  });
});

describe("what the Python server takes is taken", () => {
  test("empty sections and empty keys", async () => {
    const text =
      "tracers:\nstorages:\nimports:\nfollowers:\nlinks:\ningress_auth:\nchains:\n  a:\n    links: [sampler]\n    storages:\n    egress_lists:\n";
    const { plan, findings } = await compileText(text);
    expect(findings).toEqual([]);
    expect(plan?.chains[0]).toMatchObject({ storages: [], egressLists: [], ingressLists: ["a_ingress"] });
  });

  test("no chains at all: the server waits for a configuration", async () => {
    expect((await compileText("chains: {}")).plan?.chains).toEqual([]);
  });

  test("options left out or empty", async () => {
    const { findings } = await compileText(
      "chains: {a: {links: [x, y]}}\nlinks:\n  x: {module: sampler}\n  y: {module: sampler, options: }",
    );
    expect(findings).toEqual([]);
  });

  test("what it ignores is a warning, and the plan stands", async () => {
    const text = `${chain("    schedule: daily\n")}imports: {x: y}\nlinks: {l: {module: sampler, pip_name: z, egress-lists: [q]}}`;
    const { plan, findings } = await compileText(text);
    expect(plan).toBeDefined();
    expect(findings.map(({ severity }) => severity)).toEqual(["warning", "warning", "warning", "warning", "warning"]);
  });
});

test("an installed package is used like a built-in", async () => {
  const text = 'chains: {a: {links: [loud]}}\nlinks: {loud: {module: "@acme/vcon-link-shout", options: {tags: [x]}}}';
  const { plan, findings } = await compileText(text);
  expect(findings).toEqual([]);
  expect(plan?.chains[0]?.links[0]?.plugin.name).toBe("shout");
});

test("all mistakes come at once, in the order of the file", async () => {
  const text = [
    "links:",
    "  one: {module: tgg, timout: 3}",
    "storages:",
    "  s: {module: postgres, options: {port: 0, hots: x}}",
    "chains:",
    "  a: {links: [one, two], storages: [s, t], timeout: 5m, egress_lists: [vcs:x]}",
  ].join("\n");
  const { plan, findings } = await compileText(text);
  expect(plan).toBeUndefined();
  expect(findings.map(({ line, col, code }) => `${line}:${col} ${code.slice(12)}`)).toEqual([
    "2:17 UNKNOWN_MODULE",
    "2:22 UNKNOWN_KEY",
    "4:41 RANGE",
    "4:44 UNKNOWN_KEY",
    "6:20 UNKNOWN_LINK",
    "6:40 UNKNOWN_STORAGE",
    "6:53 TYPE",
    "6:72 LIST_RESERVED",
  ]);
});

test("a finding prints as file, place, path, message and remedy", async () => {
  const { findings } = await compile({
    text: chain("    storage: []"),
    file: "c.yml",
    env: {},
    registry: testRegistry(),
  });
  expect(findings.map(findingText)).toEqual([
    'c.yml:4:5 chains.a.storage: there is no "storage" here; did you mean storages?',
  ]);
});

test("secrets in a file that everybody can read are worth a warning, references are not", async () => {
  const text = "chains: {a: {links: [], storages: [s]}}\nstorages: {s: {module: postgres, options: {password: PW}}}";
  const at = (mode: number, password: string) =>
    compile({ text: text.replace("PW", password), file: "c.yml", env: { PW: "x" }, registry: testRegistry(), mode });
  expect((await at(0o644, "hunter2")).findings).toMatchObject([
    { code: "VCON_CONFIG_SECRETS_READABLE", line: 2, col: 54 },
  ]);
  expect((await at(0o644, "redis://:hunter2@db/0")).findings).toHaveLength(1);
  expect((await at(0o644, "redis://db.example/0")).findings).toEqual([]);
  expect((await at(0o640, "hunter2")).findings).toEqual([]);
  expect((await at(0o644, "'${PW}'")).findings).toEqual([]);
});

describe("hostile files", () => {
  test.each([
    [
      "a bomb of aliases",
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
        .split("")
        .map((k, i) => `${k}: &${k} [${Array(10).fill(`*${"abcdefghi"[i]}`)}]`)
        .join("\n")}`,
      "VCON_CONFIG_ALIAS",
    ],
    ["a file beyond any size", `# ${"x".repeat(5_000_000)}`, "VCON_CONFIG_TOO_LARGE"],
    ["brackets without end", "[".repeat(50_000), "VCON_CONFIG_YAML"],
  ])("%s is refused", async (_, text, code) => {
    expect((await compileText(text)).findings.map((finding) => finding.code)).toContain(code);
  });

  test("no text makes it throw, and every finding has a place in the file", async () => {
    const words = fc.constantFrom(
      "chains:",
      "links:",
      " ",
      "\n",
      "  ",
      "- ",
      "a",
      "{",
      "}",
      "[",
      "]",
      "*a",
      "&a",
      "|",
      "'",
      "${",
      "}",
      "<<: ",
      "!!x",
      "1",
      "#",
      "\t",
      "module: tag",
      "options:",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 40 }), async (parts) => {
        const text = parts.join("");
        const { findings } = await compileText(text);
        for (const { line, col } of findings) {
          expect(line).toBeGreaterThan(0);
          expect(col).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("no value anywhere makes it throw", async () => {
    const section = fc.constantFrom(
      "chains",
      "links",
      "storages",
      "tracers",
      "ingress_auth",
      "tests",
      "imports",
      "followers",
    );
    const key = fc.constantFrom(
      "a",
      "module",
      "options",
      "links",
      "storages",
      "ingress_lists",
      "retries",
      "timeout",
      "expect",
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom<unknown>(null, true, 0, -1, 1.5, "", "a", "tag", "file"),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 4 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(section, tree), async (document) => {
        const { plan, findings } = await compileText(stringify(document));
        expect(plan === undefined).toBe(findings.some(({ severity }) => severity === "error"));
      }),
      { numRuns: 500 },
    );
  });
});
