import { expect, test } from "vitest";
import { run } from "./tests/test-terminal.ts";

test("options inside others have a line of their own, and say what is required where", async () => {
  const { out, err } = await run(["list", "links", "analyze"]);
  expect(err).toBe("");
  expect(out).toMatch(/^ {6}only_if \(map, optional\): \S/m);
  expect(out).toMatch(/^ {6}only_if\.section \("attachments" or .*, required in only_if\): \S/m);
  expect(out).toMatch(/^ {6}only_if\.purpose \(string, optional\): \S/m);
  const [plugin] = JSON.parse((await run(["list", "links", "analyze", "--json"])).out);
  expect(plugin.options.map(({ name }: { name: string }) => name)).toContain("only_if.section");
});

test("a list of names says how to see the options", async () => {
  const { err } = await run(["list", "storages"]);
  expect(err).toMatch(/^options of one: vcon-server list storages \w+\n$/);
  expect((await run(["list", "storages", "--options"])).err).toBe("");
  expect((await run(["list", "storages", "--json"])).err).toBe("");
});
