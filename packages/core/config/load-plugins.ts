import { asVconError } from "../errors/index.ts";
import type { Options, Ready, WithPlugin } from "./draft.ts";
import type { Path, Report } from "./findings.ts";
import { notOffered } from "./not-offered.ts";
import { beneath, parseEntry, type Surroundings } from "./parse-entry.ts";
import type { Kinds, PluginKind, PluginRegistry } from "./registry.ts";
import { nearest } from "./suggest.ts";

const KINDS: readonly PluginKind[] = ["link", "storage", "tracer"];

/** The plug-in a `module` names; what keeps it from being used is reported at its place. */
export async function loadPlugin<K extends PluginKind>(
  kind: K,
  named: { readonly module: string; readonly path: Path },
  { registry, report }: { readonly registry: PluginRegistry; readonly report: Report },
): Promise<Kinds[K] | undefined> {
  const { module } = named;
  const path = [...named.path, "module"];
  try {
    const plugin = await registry.load(kind, module);
    if (plugin === undefined) reportUnknown(kind, { module, path }, { registry, report });
    else if (plugin.stability === "deprecated") {
      const remedy = "look into its README for what takes its place";
      report("VCON_CONFIG_DEPRECATED", { path, message: `${plugin.name} is deprecated`, remedy });
    }
    return plugin;
  } catch (error) {
    const { message } = asVconError(error, "VCON_CONFIG_PLUGIN", `loading ${module}`);
    report("VCON_CONFIG_PLUGIN", {
      path,
      message,
      remedy: "install a package that exports the plug-in as its default",
    });
    return undefined;
  }
}

function reportUnknown(
  kind: PluginKind,
  { module, path }: { readonly module: string; readonly path: Path },
  { registry, report }: { readonly registry: PluginRegistry; readonly report: Report },
): void {
  const absent = notOffered(kind, module);
  if (absent) {
    report("VCON_CONFIG_NOT_OFFERED", { path, ...absent });
    return;
  }
  const other = KINDS.find((one) => one !== kind && registry.knows(one, module));
  if (other) {
    const remedy = `move it to \`${other}s\``;
    report("VCON_CONFIG_WRONG_KIND", { path, message: `${module} is a ${other}, not a ${kind}`, remedy });
    return;
  }
  const short = module.slice(module.lastIndexOf(".") + 1);
  const meant = nearest(short, registry.names(kind));
  const names = registry.names(kind);
  const builtIn = names.length > 0 ? `built in are ${names.join(", ")}` : "none is built in";
  const remedy = meant ? `did you mean ${meant}?` : `${builtIn}; a package is named as npm names it`;
  report("VCON_CONFIG_UNKNOWN_MODULE", {
    path,
    message: `there is no ${kind} ${module}, built in or installed`,
    remedy,
  });
}

/** Parses the options of an entry with its plug-in's schema. */
export function withOptions<E, K extends Exclude<PluginKind, "link">>(
  named: WithPlugin<E, Kinds[K]>,
  around: Surroundings,
): Ready<E, Kinds[K]> {
  const input = named.written ?? {};
  const { plugin } = named;
  if (!plugin) return { ...named, options: undefined };
  const { options: schema, hints = {} } = plugin;
  const { entry, broken } = parseEntry(schema, { input, place: beneath([...named.path, "options"]), hints }, around);
  return { ...named, options: broken.size > 0 ? undefined : (entry as Options | undefined) };
}
