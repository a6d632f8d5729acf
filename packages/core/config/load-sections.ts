import { reportAcceptedSections, withoutAccepted } from "./accepted.ts";
import type { WithPlugin } from "./draft.ts";
import type { Path, Report } from "./findings.ts";
import { loadPlugin } from "./load-plugins.ts";
import { beneath, isMap, parseEntry, type Surroundings } from "./parse-entry.ts";
import type { Kinds, PluginKind, PluginRegistry } from "./registry.ts";
import { DOCUMENT, LINK, type LinkEntry, STORAGE, type StorageEntry, TRACER, type TracerEntry } from "./schema.ts";
import { nearest } from "./suggest.ts";

export type Section = "links" | "storages" | "tracers" | "chains" | "ingress_auth";

/** A name and what stands under it, with its place. */
export interface RawEntry {
  readonly name: string;
  readonly path: Path;
  readonly value: unknown;
}

/** Reports keys at the top that do not exist, and whole sections that are accepted only. */
export function checkTop(document: Readonly<Record<string, unknown>>, report: Report): void {
  const known = Object.keys(DOCUMENT.shape);
  for (const key of Object.keys(document).filter((name) => !known.includes(name))) {
    // names that begin with x- are where people keep anchors
    if (key.startsWith("x-")) continue;
    const meant = nearest(key, known);
    const remedy = meant ? `did you mean ${meant}?` : `known are ${known.join(", ")}`;
    report("VCON_CONFIG_UNKNOWN_KEY", {
      path: [key],
      at: "key",
      message: `there is no section ${JSON.stringify(key)}`,
      remedy,
    });
  }
  reportAcceptedSections(document, report);
}

/** Entries of a section; an empty one has none. */
export function entriesOf(
  section: Section,
  document: Readonly<Record<string, unknown>>,
  report: Report,
): readonly RawEntry[] {
  const value = document[section];
  if (value === undefined || value === null) return [];
  if (!isMap(value)) {
    const remedy = "write each entry as `name:` with its keys beneath";
    report("VCON_CONFIG_TYPE", { path: [section], message: "must be a map of named entries", remedy });
    return [];
  }
  return Object.entries(value).map(([name, entry]) => ({ name, path: [section, name], value: entry }));
}

/** Letters first, no control characters: names stand in logs, metrics and lists of the user interface. */
const NAME = /^[\p{L}\p{N}_][^\p{C}]{0,127}$/u;

export function checkName({ name, path }: RawEntry, report: Report): void {
  if (NAME.test(name)) return;
  const remedy = "begin with a letter or digit and use up to 128 characters";
  report("VCON_CONFIG_NAME", {
    path,
    at: "key",
    message: `${JSON.stringify(name.slice(0, 40))} cannot be a name`,
    remedy,
  });
}

const KEYS = {
  link: { section: "links", schema: LINK },
  storage: { section: "storages", schema: STORAGE },
  tracer: { section: "tracers", schema: TRACER },
} as const;

interface Entries {
  readonly link: LinkEntry;
  readonly storage: StorageEntry;
  readonly tracer: TracerEntry;
}

interface Loading extends Surroundings {
  readonly registry: PluginRegistry;
}

/** Parses the entries of a plug-in section and loads their plug-ins; options are parsed later. */
export async function loadSection<K extends PluginKind>(
  kind: K,
  document: Readonly<Record<string, unknown>>,
  loading: Loading,
): Promise<ReadonlyMap<string, WithPlugin<Entries[K], Kinds[K]>>> {
  const { section } = KEYS[kind];
  const raw = entriesOf(section, document, loading.report);
  const loaded = await Promise.all(raw.map((entry) => loadEntry(kind, entry, loading)));
  return new Map(loaded.map((entry) => [entry.name, entry]));
}

async function loadEntry<K extends PluginKind>(kind: K, raw: RawEntry, loading: Loading) {
  const { report } = loading;
  const { name, path, value } = raw;
  const { section, schema } = KEYS[kind];
  checkName(raw, report);
  const none = { name, path, entry: undefined, broken: new Set<string>(), plugin: undefined, written: undefined };
  const input = isMap(value) ? withoutAccepted(section, value, path, report) : undefined;
  if (!isMap(input)) {
    reportShape(raw, kind, report);
    return none;
  }
  const hints = kind === "storage" ? HINTS : {};
  const parsed = parseEntry(schema, { input, place: beneath(path), hints }, loading);
  // the schema of a kind is the schema of its entries: TypeScript does not follow the table
  const entry = parsed.entry as Entries[K] | undefined;
  const { module, options } = input;
  const usable = typeof module === "string" && module !== "";
  const plugin = usable ? await loadPlugin(kind, { module, path }, loading) : undefined;
  const written = kind === "link" ? withoutAccepted("links.options", options, [...path, "options"], report) : options;
  return { ...none, entry, broken: parsed.broken, plugin, written };
}

const HINTS = { max_attempts: "use give_up_after_secs: a delivery is retried until then" };

/** `tag: links.tag` is a natural slip; the finding says how it is written. */
function reportShape({ value, path }: RawEntry, kind: PluginKind, report: Report): void {
  const remedy = typeof value === "string" ? `write \`module: ${value}\` beneath it` : "write `module: …` beneath it";
  report("VCON_CONFIG_TYPE", { path, message: `a ${kind} must be a map with a module`, remedy });
}
