import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, createRegistry, findingText } from "@vcon-server/core/config";
import { describe, expect, test } from "vitest";
import { plugins } from "../apps/server/plugins.gen.ts";
import { ROOT } from "./plugin-folders.ts";

const EXAMPLES = readdirSync(join(ROOT, "config")).filter((file) => file.endsWith(".yml"));

/** Variables an example asks for without giving a default. */
const needed = (text: string): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map((match) => [match[1] ?? "", "a-value-from-the-environment"]),
  ),
  REDIS_URL: "redis://localhost:6379",
});

const compiled = async (name: string, env?: Readonly<Record<string, string>>) => {
  const file = join(ROOT, "config", name);
  const text = readFileSync(file, "utf8");
  return compile({ text, file, env: env ?? needed(text), registry: createRegistry(plugins) });
};

describe("example configurations", () => {
  test("are there", () => expect(EXAMPLES).toContain("quickstart.yml"));

  test.each(EXAMPLES)("%s lints without a word, and becomes a plan", async (name) => {
    const { plan, findings } = await compiled(name);
    expect(findings.map(findingText)).toEqual([]);
    expect(plan?.chains.length).toBeGreaterThan(0);
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
