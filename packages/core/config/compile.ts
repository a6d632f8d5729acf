import { checkAddresses } from "./check-addresses.ts";
import { checkAnyChain, checkChains } from "./check-chains.ts";
import { checkFlow } from "./check-flow.ts";
import { checkLists } from "./check-lists.ts";
import { checkUse } from "./check-use.ts";
import type { Draft, Ready } from "./draft.ts";
import { type ConfigFinding, FINDINGS, type FindingCode, type Problem, pathText, type Report } from "./findings.ts";
import { interpolate, type Resolved } from "./interpolate.ts";
import { loadChains } from "./load-chains.ts";
import { withOptions } from "./load-plugins.ts";
import { loadIngressAuth, loadTests } from "./load-rest.ts";
import { checkTop, loadSection } from "./load-sections.ts";
import { loadTracers } from "./load-tracers.ts";
import { withLocalModules } from "./local-modules.ts";
import { beneath, isMap, parseEntry, type Surroundings } from "./parse-entry.ts";
import type { Plan } from "./plan.ts";
import { planOf } from "./plan-of.ts";
import type { Environment } from "./read-settings.ts";
import type { PluginRegistry } from "./registry.ts";
import type { StorageEntry, TestEntry } from "./schema.ts";
import { eachText, factsOf } from "./schema-facts.ts";
import { shownOf, withoutPassword } from "./shown.ts";
import type { EncodingFault } from "./text-file.ts";
import { type Position, readYaml } from "./yaml-source.ts";

/** A configuration to compile. */
export interface ConfigText {
  readonly text: string;
  /** Its file: named in findings, and the folder relative paths count from. */
  readonly file: string;
  readonly env: Environment;
  readonly registry: PluginRegistry;
  /** Permission bits of the file, where it is one. */
  readonly mode?: number;
  /** First place at which the file is not valid UTF-8. */
  readonly fault?: EncodingFault;
}

/** The plan, unless there are errors; and everything there is to say about the configuration, in the order of the file. */
export interface Compiled {
  readonly plan?: Plan;
  readonly findings: readonly ConfigFinding[];
  /** The `tests` block; given together with the plan. */
  readonly tests?: readonly TestEntry[];
}

/** Compiles a configuration. Never throws for what it holds: mistakes are findings, all of them at once. */
export async function compile(config: ConfigText): Promise<Compiled> {
  const { source, problems } = readYaml(config.text);
  const { report, findings } = collector(config.file, (path, at) => source.locate(path, at));
  if (config.fault) report("VCON_CONFIG_ENCODING", { ...config.fault, path: [] }, config.fault);
  for (const { code, line, col, ...problem } of problems) report(code, problem, { line, col });
  const document = source.value ?? {};
  if (source.value === undefined) return { findings: findings() };
  const isEmpty = source.value === null || (isMap(document) && Object.keys(document).length === 0);
  if (isEmpty)
    report("VCON_CONFIG_EMPTY", { path: [], message: "the file configures nothing", remedy: "add `chains`" });
  if (!isMap(document)) {
    report("VCON_CONFIG_TYPE", { path: [], message: "must be a map of sections", remedy: "begin with `chains:`" });
    return { findings: findings() };
  }
  const resolved = await interpolate(document, config, report);
  const draft = await draftOf(isMap(resolved.value) ? resolved.value : {}, resolved, { config, report });
  checkChains(draft, report);
  if (!isEmpty) checkAnyChain(draft, document, report);
  checkLists(draft, report);
  checkFlow(draft, report);
  checkUse(draft, report);
  checkAddresses(draft, { env: config.env, report });
  if (((config.mode ?? 0) & 0o004) !== 0) checkReadable(draft, resolved, report);
  const found = findings();
  if (found.some(({ severity }) => severity === "error")) return { findings: found };
  const tests = draft.tests.flatMap(({ entry }) => entry ?? []);
  return { plan: planOf(draft, config.text, shownOf(resolved, draft)), findings: found, tests };
}

interface Drafting {
  readonly config: ConfigText;
  readonly report: Report;
}

async function draftOf(
  document: Readonly<Record<string, unknown>>,
  { from }: Resolved,
  { config, report }: Drafting,
): Promise<Draft> {
  const { registry, env, file } = config;
  const around: Surroundings = { report, from };
  const loading = { ...around, registry: withLocalModules(registry, file) };
  checkTop(document, report);
  const [links, storages, tracers] = await Promise.all([
    loadSection("link", document, loading),
    loadSection("storage", document, loading),
    loadTracers(document, loading),
  ]);
  const chains = await loadChains(document, { ...loading, links });
  const used = new Set(chains.flatMap(({ steps }) => steps.map(({ name }) => name)));
  for (const { name, plugin, path, written } of links.values()) {
    // the options of links in use were parsed where they are used, with those written inline
    if (plugin && !used.has(name)) {
      const { options: schema, hints = {} } = plugin;
      parseEntry(schema, { input: written ?? {}, place: beneath([...path, "options"]), hints }, around);
    }
  }
  return {
    links,
    storages: ready([...storages.values()].map((entry) => withOptions<StorageEntry, "storage">(entry, around))),
    tracers,
    chains,
    ingressAuth: loadIngressAuth(document, around),
    tests: await loadTests(document, { around, file }),
    sortedSet: env["VCON_SORTED_SET_NAME"] || "vcons",
  };
}

const ready = <E, P>(entries: readonly Ready<E, P>[]): ReadonlyMap<string, Ready<E, P>> =>
  new Map(entries.map((entry) => [entry.name, entry]));

/** Collects findings, each once, and gives them in the order of the file. */
function collector(file: string, locate: (path: Problem["path"], at: Problem["at"]) => Position) {
  const found = new Map<string, ConfigFinding>();
  const report = (code: FindingCode, { path, at, message, remedy }: Problem, place?: Position): void => {
    const { line, col } = place ?? locate(path, at);
    const finding = { severity: FINDINGS[code].severity, code, file, line, col, path: pathText(path), message, remedy };
    found.set(JSON.stringify([code, finding.path, line, col, message]), finding);
  };
  const findings = () => [...found.values()].toSorted((one, other) => one.line - other.line || one.col - other.col);
  return { report, findings };
}

/** A URL may hold a password and does not in this case. */
const isPlainUrl = (text: string): boolean =>
  /^[a-z][a-z0-9+]*:\/\//i.test(text) && withoutPassword(text) === text && !/[?#]/.test(text);

/** Secrets that stand in the file itself are as safe as the file is. */
function checkReadable(draft: Draft, { from }: Resolved, report: Report): void {
  const literal: Problem["path"][] = [...draft.ingressAuth.keys()].map((list) => ["ingress_auth", list]);
  for (const { path, plugin, written } of [
    ...draft.links.values(),
    ...draft.storages.values(),
    ...draft.tracers.values(),
  ]) {
    if (!plugin) continue;
    eachText(written, factsOf(plugin.options), (text, inner, nodes) => {
      if (nodes.some((node) => node.secret) && !isPlainUrl(text)) literal.push([...path, "options", ...inner]);
    });
  }
  const first = literal.find(
    (path) => ![...from.keys()].some((known) => known.startsWith(JSON.stringify(path).slice(0, -1))),
  );
  if (!first) return;
  const message = "a secret stands here and every user of this machine can read the file";
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the configuration
  const remedy = "write ${NAME} or ${file:/path} instead, or chmod o-r the file";
  report("VCON_CONFIG_SECRETS_READABLE", { path: first, message, remedy });
}
