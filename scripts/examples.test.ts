import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, createRegistry, findingText } from "@vcon-server/core/config";
import { describe, expect, test } from "vitest";
import { placeholdersFor } from "../apps/server/cli/test/placeholders.ts";
import { runTests } from "../apps/server/cli/test/run-test.ts";
import { plugins } from "../apps/server/plugins.gen.ts";
import { ROOT } from "./plugin-folders.ts";

const EXAMPLES = readdirSync(join(ROOT, "config")).filter((file) => file.endsWith(".yml"));

const compiled = async (name: string, env?: Readonly<Record<string, string>>) => {
  const file = join(ROOT, "config", name);
  const text = readFileSync(file, "utf8");
  return compile({
    text,
    file,
    env: env ?? { REDIS_URL: "redis://localhost", ...placeholdersFor(text) },
    registry: createRegistry(plugins),
  });
};

describe("example configurations", () => {
  test("are there", () => expect(EXAMPLES).toContain("quickstart.yml"));

  test.each(EXAMPLES)("%s lints without a word, and becomes a plan", async (name) => {
    const { plan, findings } = await compiled(name);
    expect(findings.map(findingText)).toEqual([]);
    expect(plan?.chains.length).toBeGreaterThan(0);
  });

  test.each(EXAMPLES)("%s does what its tests say", { timeout: 60_000 }, async (name) => {
    const { plan, tests = [] } = await compiled(name);
    expect(tests.length, "tests").toBeGreaterThan(0);
    if (!plan) throw new Error("it has errors");
    const { signal } = new AbortController();
    const results = await runTests(tests, { plan, file: join(ROOT, "config", name), signal });
    expect(results.flatMap(({ name, objections }) => objections.map((one) => `${name}: ${one}`))).toEqual([]);
  });
});

test("the quickstart needs nothing but the server", async () => {
  const { plan } = await compiled("quickstart.yml", {});
  expect(plan?.chains).toMatchObject([
    {
      name: "quickstart",
      ingressLists: ["quickstart_ingress"],
      egressLists: ["quickstart_egress"],
      storages: ["files"],
    },
  ]);
  expect(plan?.storages).toMatchObject([{ options: { path: "data/vcons" } }]);
  expect(plan?.chains[0]?.links.some(({ plugin }) => plugin.effect)).toBe(false);
});
