import { type ConfigFinding, compile, type PluginKind } from "@vcon-server/core/config";
import { afterAll, beforeEach, expect, test, vi } from "vitest";

const KINDS: readonly PluginKind[] = ["link", "storage", "tracer"];

beforeEach(() => vi.resetModules());
afterAll(() => vi.resetModules());

/** The built-in plug-ins as a process finds them that has loaded none yet. */
const freshPlugins = async () => (await import("./plugins.gen.ts")).plugins;

async function lint(text: string): Promise<readonly ConfigFinding[]> {
  const { builtIns } = await import("./compose.ts");
  return (await compile({ text, file: "/config.yml", env: {}, registry: builtIns() })).findings;
}

const saidAbout = async (kind: PluginKind, name: string): Promise<readonly string[]> =>
  (await lint(`${kind}s:\n  one: { module: ${name} }\n`)).map(
    ({ path, message, remedy }) => `${path} ${message} ${remedy}`,
  );

test("what lint says about a plug-in without options does not depend on the plug-ins that were loaded before", async () => {
  const plugins = await freshPlugins();
  const all = KINDS.flatMap((kind) => plugins[kind].map(({ name }) => ({ kind, name })));
  const alone = new Map<string, readonly string[]>();
  for (const { kind, name } of all) {
    vi.resetModules();
    alone.set(`${kind} ${name}`, await saidAbout(kind, name));
  }
  expect([...alone.values()].flat().join("\n")).toContain("has no complete credentials: set OPENAI_API_KEY");
  expect([...alone.values()].flat().join("\n")).not.toMatch(/invalid input|undefined/i);
  for (const order of [all, all.toReversed()]) {
    vi.resetModules();
    for (const { kind, name } of order) await saidAbout(kind, name);
    for (const { kind, name } of order) expect(await saidAbout(kind, name)).toEqual(alone.get(`${kind} ${name}`));
  }
}, 60_000);

test("a hint is about a name that is no option, and lint gives it at its place", async () => {
  const plugins = await freshPlugins();
  for (const kind of KINDS) {
    for (const { name, load } of plugins[kind]) {
      const { default: plugin } = await load();
      for (const [option, remedy] of Object.entries(plugin.hints ?? {})) {
        expect(Object.keys(plugin.options.shape), `${name}.${option}`).not.toContain(option);
        const [called] = /(?<=^it is called )\S+/.exec(remedy) ?? [];
        if (called !== undefined) expect(Object.keys(plugin.options.shape), `${name}.${option}`).toContain(called);
        const findings = await lint(`${kind}s:\n  one: { module: ${name}, options: { ${option}: x } }\n`);
        expect(findings).toContainEqual(expect.objectContaining({ path: `${kind}s.one.options.${option}`, remedy }));
      }
    }
  }
}, 60_000);

test.each<[PluginKind, readonly string[]]>([
  [
    "link",
    [
      "links.analyze_vcon",
      "links.detect_engagement",
      "links.transcribe.groq_whisper",
      "links.hugging_face_whisper",
      "links.hugging_llm_link",
      "links.wtf_transcribe",
      "links.diet",
      "links.post_analysis_to_slack",
      "links.datatrails",
      "links.scitt",
    ],
  ],
  [
    "storage",
    [
      "storage.chatgpt_files",
      "storage.dataverse",
      "storage.scitt",
      "storage.sftp",
      "storage.spaceandtime",
      "storage.vcon_mcp",
      "storage.webhook",
    ],
  ],
  ["tracer", ["tracers.jlinc"]],
])("each %s of the Python server is offered, or named as one that is not offered yet", async (kind, modules) => {
  for (const module of modules) {
    const findings = await lint(`${kind}s:\n  one: { module: ${module} }\n`);
    const { names } = (await import("./compose.ts")).builtIns();
    const short = module.slice(module.lastIndexOf(".") + 1);
    if (names(kind).includes(short)) continue;
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: "VCON_CONFIG_NOT_OFFERED",
        message: `the ${kind} ${short} of the Python server is not offered yet`,
      }),
    );
  }
});

test("where no plug-in of a kind is built in, the message holds no empty list", async () => {
  const findings = await lint("tracers:\n  one: { module: watcher }\n");
  const about = findings.filter(({ path }) => path.startsWith("tracers.one"));
  expect(about.map(({ remedy }) => remedy)).toEqual(["none is built in; a package is named as npm names it"]);
});
