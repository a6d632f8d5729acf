import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, createRegistry, factsOf, findingText, type SchemaNode } from "@vcon-server/core/config";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { placeholdersFor } from "../apps/server/cli/test/placeholders.ts";
import { plugins } from "../apps/server/plugins.gen.ts";
import { importPlugin, pluginFolders } from "./plugin-folders.ts";
import { optionsSection } from "./readme.ts";

const FOLDERS = pluginFolders().map((folder) => [`${folder.group}/${folder.name}`, folder] as const);

test("the registry lists every folder, and nothing else", () => {
  const listed = Object.values(plugins).flatMap((entries) => entries.map(({ name }) => name));
  expect(listed.toSorted()).toEqual(FOLDERS.map(([, { name }]) => name).toSorted());
});

describe.each(FOLDERS)("%s", (_, folder) => {
  const read = (file: string) => readFileSync(join(folder.folder, file), "utf8");

  test("has its code, its test and its README", () => {
    for (const file of ["index.ts", "index.test.ts", "README.md"])
      expect(existsSync(join(folder.folder, file)), file).toBe(true);
  });

  test("is named after its folder, in snake case, and says what it does in a sentence", async () => {
    const { name, summary } = await importPlugin(folder);
    expect(name).toBe(folder.name);
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(summary).toMatch(/^[A-Z0-9].*\.$/);
  });

  test("has a fresh README", async () => {
    expect(read("README.md"), "run `npm run gen`").toContain(optionsSection(await importPlugin(folder)));
  });

  test("refuses options that do not exist, at every level", async () => {
    const { options } = await importPlugin(folder);
    const schema = options as z.ZodType;
    const issues = schema.safeParse({ surely_not_an_option: 1 }).error?.issues ?? [];
    expect(issues.map(({ code }) => code)).toContain("unrecognized_keys");
    expect(looseMaps(factsOf(schema), "options")).toEqual([]);
  });

  test("shows an example that lints without a word", async () => {
    const examples = [...read("README.md").matchAll(/```ya?ml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
    expect(examples.length, "a ```yaml block").toBeGreaterThan(0);
    for (const text of examples) {
      const env = { REDIS_URL: "redis://localhost", ...placeholdersFor(text) };
      const { findings } = await compile({ text, file: "README.md", env, registry: createRegistry(plugins) });
      expect(findings.map(findingText)).toEqual([]);
    }
  });
});

/** Maps with named members that take any other member as well: a typo in them would go unnoticed. */
function looseMaps(node: SchemaNode, path: string): string[] {
  const inner = [
    ...Object.entries(node.properties ?? {}).map(([key, child]) => looseMaps(child, `${path}.${key}`)),
    ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].map((child) => looseMaps(child, path)),
    ...(node.items ? [looseMaps(node.items, `${path}[]`)] : []),
  ].flat();
  return node.properties && node.additionalProperties === undefined ? [path, ...inner] : inner;
}
