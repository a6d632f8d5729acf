import type { Link } from "../plugin/link.ts";
import { withoutAccepted } from "./accepted.ts";
import type { ChainDraft, Named, Options, Step, WithPlugin } from "./draft.ts";
import type { Path } from "./findings.ts";
import { LIST_NAME, LIST_NAME_RULE } from "./list-names.ts";
import { entriesOf, type RawEntry } from "./load-sections.ts";
import { notOffered } from "./not-offered.ts";
import { beneath, isMap, parseEntry, type Surroundings } from "./parse-entry.ts";
import type { PluginRegistry } from "./registry.ts";
import { CHAIN, type ChainEntry, type LinkEntry } from "./schema.ts";
import { nearest } from "./suggest.ts";

export type LinkDraft = WithPlugin<LinkEntry, Link>;

export interface ChainLoading extends Surroundings {
  readonly registry: PluginRegistry;
  readonly links: ReadonlyMap<string, LinkDraft>;
}

/** Parses the chains and resolves their links, inline ones included. */
export async function loadChains(
  document: Readonly<Record<string, unknown>>,
  loading: ChainLoading,
): Promise<readonly ChainDraft[]> {
  return Promise.all(entriesOf("chains", document, loading.report).map((raw) => loadChain(raw, loading)));
}

async function loadChain(raw: RawEntry, loading: ChainLoading): Promise<ChainDraft> {
  const { report } = loading;
  if (!LIST_NAME.test(raw.name)) {
    const message = `the name of a chain ${LIST_NAME_RULE}`;
    report("VCON_CONFIG_NAME", {
      path: raw.path,
      at: "key",
      message,
      remedy: "rename it; its default lists carry its name",
    });
  }
  const input = withoutAccepted("chains", raw.value, raw.path, report);
  const parsed = parseEntry(CHAIN, { input, place: beneath(raw.path) }, loading);
  const { broken } = parsed;
  // a chain whose links are unusable still has lists and storages to check
  const entry = parsed.entry ?? (isMap(input) ? withoutLinks(input, broken) : undefined);
  const named: Named<ChainEntry> = { name: raw.name, path: raw.path, entry, broken };
  const steps = await Promise.all(
    (entry?.links ?? []).map((link, at) => loadStep(link, [...raw.path, "links", at], loading)),
  );
  const enabled = entry?.enabled === undefined || entry.enabled === null || Boolean(entry.enabled);
  return { ...named, enabled, steps, ingressLists: ingressOf(named), dlqName: entry?.dlq_name ?? `${raw.name}_dlq` };
}

function withoutLinks(input: Readonly<Record<string, unknown>>, broken: ReadonlySet<string>): ChainEntry | undefined {
  const rest = Object.entries(input).filter(([key]) => key !== "links" && !broken.has(key));
  return CHAIN.safeParse({ ...Object.fromEntries(rest), links: [] }).data;
}

function ingressOf({ name, entry, broken }: Named<ChainEntry>): readonly string[] {
  if (entry === undefined || broken.has("ingress_lists")) return [];
  return entry.ingress_lists ?? [`${name}_ingress`];
}

type LinkReference = ChainEntry["links"][number];

async function loadStep(reference: LinkReference, path: Path, loading: ChainLoading): Promise<Step> {
  if (typeof reference === "string") return stepOf(reference, { path }, loading);
  const [only, ...others] = Object.entries(reference);
  if (!only || others.length > 0) {
    const remedy =
      others.length > 0 ? "write each link as an entry of its own, options indented deeper" : "write `- name`";
    loading.report("VCON_CONFIG_INLINE_LINK", { path, message: "must be one link with its options", remedy });
    return brokenStep(path, only?.[0] ?? "");
  }
  const [name, options] = only;
  if (options !== null && !isMap(options)) {
    const message = "options written inside a chain must be a map";
    loading.report("VCON_CONFIG_INLINE_LINK", {
      path: [...path, name],
      message,
      remedy: "write `- name: {option: value}`",
    });
    return brokenStep(path, name);
  }
  return stepOf(name, { path, inline: options ?? {} }, loading);
}

const brokenStep = (path: Path, name: string): Step => ({
  path,
  name,
  plugin: undefined,
  entry: undefined,
  options: undefined,
  place: beneath(path),
});

interface Written {
  readonly path: Path;
  readonly inline?: Options;
}

async function stepOf(name: string, written: Written, loading: ChainLoading): Promise<Step> {
  const defined = loading.links.get(name);
  if (!defined && !loading.registry.knows("link", name)) {
    const absent = notOffered("link", name);
    if (absent) {
      loading.report("VCON_CONFIG_NOT_OFFERED", { path: written.path, ...absent });
      return brokenStep(written.path, name);
    }
    const known = [...loading.links.keys(), ...loading.registry.names("link")];
    const meant = nearest(name, known);
    const remedy = meant ? `did you mean ${meant}?` : "define it under `links`";
    loading.report("VCON_CONFIG_UNKNOWN_LINK", {
      path: written.path,
      message: `there is no link ${JSON.stringify(name)}`,
      remedy,
    });
    return brokenStep(written.path, name);
  }
  const plugin = defined ? defined.plugin : await loading.registry.load("link", name);
  const inPlace = [...written.path, ...(written.inline ? [name] : [])];
  const base = isMap(defined?.written) ? defined.written : {};
  const inline = withoutAccepted("links.options", written.inline ?? {}, inPlace, loading.report);
  const own = isMap(inline) ? inline : {};
  const place: Step["place"] = (path) => {
    const here = !defined || (path[0] !== undefined && Object.hasOwn(own, path[0]));
    return here ? [...inPlace, ...path] : [...defined.path, "options", ...path];
  };
  const step = { path: written.path, name, plugin, entry: defined?.entry, place };
  if (!plugin || (defined?.written !== undefined && defined.written !== null && !isMap(defined.written))) {
    return { ...step, options: undefined };
  }
  const hints = { ...HINTS, ...plugin.hints };
  const { entry, broken } = parseEntry(plugin.options, { input: { ...base, ...own }, place, hints }, loading);
  return { ...step, options: broken.size > 0 ? undefined : (entry as Options | undefined) };
}

const HINTS = { options: "write the options directly beneath the name", module: "define the link under `links`" };
