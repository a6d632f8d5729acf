import { describe, expect, test } from "vitest";
import { createRegistry } from "./create-registry.ts";
import { testRegistry } from "./test-registry.ts";

describe("a module name leads to its plug-in", () => {
  test.each([
    ["tag", "tag"],
    ["links.tag", "tag"],
    ["conserver.links.tag", "tag"],
    ["links.tagger", "tag"],
    ["@acme/vcon-link-shout", "shout"],
  ])("%s → %s", async (module, name) => {
    expect((await testRegistry().load("link", module))?.name).toBe(name);
  });

  test.each([
    "tagx",
    "storages.tag",
    "links.nothing",
    "@acme/nothing",
    "./tag",
    "/etc/passwd",
    "node:fs",
    "fs",
    "file:///x",
    "data:text/javascript,1",
    "https://x/y.js",
    "__proto__",
    "",
  ])("%s → nothing", async (module) => {
    expect(await testRegistry().load("link", module)).toBeUndefined();
  });

  test("kinds are kept apart", async () => {
    const registry = testRegistry();
    expect((await registry.load("storage", "storage.postgres"))?.name).toBe("postgres");
    expect(await registry.load("link", "postgres")).toBeUndefined();
    expect(registry.knows("tracer", "audit")).toBe(true);
    expect(registry.names("storage")).toEqual(["file", "postgres"]);
  });
});

describe("a package", () => {
  test("that is no plug-in is refused with what it lacks", async () => {
    await expect(testRegistry().load("link", "vcon-link-shapeless")).rejects.toMatchObject({
      code: "VCON_CONFIG_PLUGIN",
      message: /vcon-link-shapeless is not a link: .*run/,
    });
  });

  test("that throws while it is loaded is an error, not an absence", async () => {
    await expect(testRegistry().load("link", "vcon-link-broken")).rejects.toMatchObject({ code: "VCON_CONFIG_PLUGIN" });
  });

  test("whose own dependency is missing is an error, not an absence", async () => {
    const missing = "Cannot find package 'left-pad' imported from /app/node_modules/vcon-link-x/index.js";
    const registry = createRegistry({ link: [], storage: [], tracer: [] }, () => Promise.reject(new Error(missing)));
    await expect(registry.load("link", "vcon-link-x")).rejects.toMatchObject({ code: "VCON_CONFIG_PLUGIN" });
  });

  test("that is not installed is absent, asked of Node itself", async () => {
    const registry = createRegistry({ link: [], storage: [], tracer: [] });
    expect(await registry.load("link", "vcon-link-that-nobody-installed")).toBeUndefined();
  });

  test("is loaded only when it is asked for", async () => {
    const load = () => Promise.reject(new Error("loaded"));
    const registry = createRegistry({ link: [{ name: "lazy", aliases: [], load }], storage: [], tracer: [] });
    expect(registry.knows("link", "lazy")).toBe(true);
    await expect(registry.load("link", "lazy")).rejects.toThrow("loaded");
  });
});
