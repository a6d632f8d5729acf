import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, createRegistry, findingText } from "@vcon-server/core/config";
import { describe, expect, test } from "vitest";
import { placeholdersFor } from "../apps/server/cli/test/placeholders.ts";
import { runTests } from "../apps/server/cli/test/run-test.ts";
import { plugins } from "../apps/server/plugins.gen.ts";
import { ROOT } from "./plugin-folders.ts";

const GUIDES = ["docs/configuration-tests.md", "docs/outside-services.md", "docs/from-python.md", "README.md"];

describe.each(GUIDES)("%s", (guide) => {
  const text = readFileSync(join(ROOT, guide), "utf8");
  const examples = [...text.matchAll(/```ya?ml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

  test("shows configurations that lint without a word and do what their tests say", async () => {
    expect(examples.length).toBeGreaterThan(0);
    for (const yaml of examples) {
      // as if it were a file beside the sample vCons
      const file = join(ROOT, "config", "example.yml");
      const of = { text: yaml, file, env: placeholdersFor(yaml), registry: createRegistry(plugins) };
      const { plan, tests = [], findings } = await compile(of);
      expect(findings.map(findingText)).toEqual([]);
      if (!plan) throw new Error("it has errors");
      const results = await runTests(tests, { plan, file, signal: new AbortController().signal });
      expect(results.flatMap(({ name, objections }) => objections.map((one) => `${name}: ${one}`))).toEqual([]);
    }
  });

  test("links to files that are there", () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map((match) => match[1] ?? "");
    for (const link of links) expect(() => readFileSync(join(ROOT, guide, "..", link)), link).not.toThrow(/ENOENT/);
  });
});
