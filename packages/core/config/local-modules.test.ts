import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compile } from "./compile.ts";
import { testRegistry } from "./test-registry.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vcs-local-"));
  mkdirSync(join(folder, "links"));
  const core = pathToFileURL(join(import.meta.dirname, "..", "index.ts")).href;
  const source = `import { defineLink, forward } from ${JSON.stringify(core)};
    import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
    export default defineLink({ name: "mine", summary: "Mine.", options: z.strictObject({ size: z.number().default(3) }), run: ({ vcon }) => forward(vcon) });`;
  writeFileSync(join(folder, "links", "mine.mjs"), source);
  writeFileSync(join(folder, "links", "nothing.mjs"), "export default {};");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const compiled = (module: string) =>
  compile({
    text: `chains:\n  a: {links: [one]}\nlinks:\n  one: {module: ${module}}\n`,
    file: join(folder, "config.yml"),
    env: {},
    registry: testRegistry(),
  });

test("a plug-in beside the configuration is used by its path, with its own options", async () => {
  const { plan, findings } = await compiled("./links/mine.mjs");
  expect(findings).toEqual([]);
  expect(plan?.chains[0]?.links[0]).toMatchObject({ name: "one", options: { size: 3 }, plugin: { name: "mine" } });
});

test.each([
  ["./links/absent.mjs", "VCON_CONFIG_PLUGIN", /there is no file/],
  ["./links/nothing.mjs", "VCON_CONFIG_PLUGIN", /is not a link: name, summary, options, run missing/],
  // only the folder of the configuration and what is below: a configuration also arrives over HTTP
  ["../elsewhere.mjs", "VCON_CONFIG_UNKNOWN_MODULE", /there is no link/],
  ["./links/../../elsewhere.mjs", "VCON_CONFIG_UNKNOWN_MODULE", /there is no link/],
])("%s is a finding at its place", async (module, code, says) => {
  const { plan, findings } = await compiled(module);
  expect(plan).toBeUndefined();
  expect(findings).toEqual([expect.objectContaining({ code, line: 4, message: expect.stringMatching(says) })]);
});
