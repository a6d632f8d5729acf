import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, readSettings } from "@vcon-server/core/config";
import { expect, test } from "vitest";
import { builtIns } from "../compose.ts";
import { welcome } from "./welcome.ts";

const repository = join(import.meta.dirname, "..", "..", "..");
const file = join(repository, "config", "quickstart.yml");

async function welcomeWith(env: Readonly<Record<string, string>>, text = readFileSync(file, "utf8")): Promise<string> {
  const { settings } = readSettings(env, { cwd: repository });
  const { plan } = await compile({ text, file, env, registry: builtIns() });
  if (plan === undefined) throw new Error("the configuration has errors");
  return welcome(settings, plan);
}

test("the quickstart: where it is, one line to try it with, and where the result lands", async () => {
  const text = await welcomeWith({});
  expect(text).toContain("http://127.0.0.1:8000");
  expect(text).toContain(
    'curl -X POST "http://127.0.0.1:8000/api/vcon?ingress_lists=quickstart_ingress" -H "Content-Type: application/json" -d @config/sample.vcon.json',
  );
  expect(text).toContain("data/vcons");
  expect(text).toContain("quickstart_egress");
  expect(text).toContain("No token is set");
});

test("the README has the same line", async () => {
  const line = /curl -X POST .*/.exec(await welcomeWith({}))?.[0] ?? "none";
  expect(readFileSync(join(repository, "README.md"), "utf8")).toContain(line);
});

test("with tokens the line names the header and never the token", async () => {
  const text = await welcomeWith({
    CONSERVER_API_TOKEN: "very-secret",
    CONSERVER_HEADER_NAME: "X-Key",
    HOST: "0.0.0.0",
    PORT: "9000",
    API_ROOT_PATH: "/",
  });
  expect(text).toContain("http://127.0.0.1:9000/vcon?");
  expect(text).toContain('-H "x-key: $CONSERVER_API_TOKEN"');
  expect(text).not.toContain("very-secret");
});

test("which configuration runs, and which of its chains", async () => {
  expect(await welcomeWith({})).toMatch(/^Running .*quickstart\.yml: chain quickstart\.$/m);
  const chain = (name: string) => `  ${name}: { links: [{ tag: { tags: [t] } }], storages: [] }\n`;
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const off = "  z: { enabled: false, links: [] }\n";
  expect(await welcomeWith({}, `chains:\n${names.map(chain).join("")}${off}`)).toMatch(
    /: chains a, b, c, d, e, f and 2 more\.$/m,
  );
});

test("IPv6 addresses and configurations without a chain", async () => {
  const text = await welcomeWith({ HOST: "::1" }, "chains: {}");
  expect(text).toContain("http://[::1]:8000");
  expect(text).toContain("no enabled chain");
});
