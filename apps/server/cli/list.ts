import { factsOf, type PluginKind, type SchemaNode, typeText } from "@vcon-server/core/config";
import type { AddVerb, Cli } from "./cli.ts";
import { type ExitCode, UsageError } from "./failure.ts";
import { paintFor, type Terminal } from "./terminal.ts";

const KINDS: Readonly<Record<string, PluginKind>> = { links: "link", storages: "storage", tracers: "tracer" };

interface ListFlags {
  readonly json?: boolean;
  readonly options?: boolean;
}

export const addList: AddVerb = (cli) => {
  cli
    .verb("list", {
      summary: "List the links, storages and tracers this server has, with their options.",
      examples: [
        ["list", "every plug-in with its summary and stability"],
        ["list links jq_link", "one link with all its options"],
      ],
    })
    .argument("[kind]", "links, storages or tracers")
    .argument("[name]", "only this plug-in, or one it is also known as")
    .option("--options", "show the options of each")
    .action(async (kind: string | undefined, name: string | undefined, flags: ListFlags) => {
      cli.exit(await list(cli, { kind, name, flags }));
    });
};

interface Listed {
  readonly kind: PluginKind;
  readonly name: string;
  readonly summary: string;
  readonly stability: string;
  readonly aliases: readonly string[];
  readonly options: readonly ListedOption[];
}

interface ListedOption {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default?: unknown;
  readonly description: string;
}

interface Asked {
  readonly kind: string | undefined;
  readonly name: string | undefined;
  readonly flags: ListFlags;
}

async function list({ terminal }: Cli, { kind, name, flags }: Asked): Promise<ExitCode> {
  const kinds = kind === undefined ? Object.values(KINDS) : [kindOf(kind)];
  const found = (await Promise.all(kinds.map((one) => pluginsOf(one, name)))).flat();
  if (found.length === 0 && name !== undefined) {
    throw new UsageError(
      `there is no ${kind?.replace(/s$/, "")} called ${name}; \`vcon-server list ${kind?.replace(/s?$/, "s")}\` shows all of them`,
    );
  }
  if (flags.json) terminal.out.write(`${JSON.stringify(found, null, 2)}\n`);
  else print(terminal, found, flags.options === true || name !== undefined);
  const [first] = found;
  if (!flags.json && !flags.options && name === undefined && first)
    terminal.err.write(`options of one: vcon-server list ${first.kind}s ${first.name}\n`);
  return 0;
}

function kindOf(word: string): PluginKind {
  const kind = KINDS[word] ?? KINDS[`${word}s`];
  if (kind !== undefined) return kind;
  throw new UsageError(`there is no list of ${word}; use one of: ${Object.keys(KINDS).join(", ")}`);
}

async function pluginsOf(kind: PluginKind, only: string | undefined): Promise<Listed[]> {
  const { builtIns } = await import("../compose.ts");
  const registry = builtIns();
  const names = only === undefined ? registry.names(kind) : [only];
  const plugins = await Promise.all(names.map((name) => registry.load(kind, name)));
  return plugins
    .filter((plugin) => plugin !== undefined)
    .map(({ name, summary, stability = "stable", aliases = [], options }) => ({
      kind,
      name,
      summary,
      stability,
      aliases,
      options: optionsOf(factsOf(options)),
    }));
}

/** Options by name; those inside others follow their parent as `parent.child`. */
const optionsOf = (schema: SchemaNode, prefix = ""): ListedOption[] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, node]) => {
    const inner = membersOf(node);
    const option = {
      name: `${prefix}${key}`,
      type: inner ? "map" : typeText(node),
      required: schema.required?.includes(key) === true && node.default === undefined,
      ...(node.default === undefined ? {} : { default: node.default }),
      description: node.description ?? "",
    };
    return [option, ...(inner ? optionsOf(inner, `${option.name}.`) : [])];
  });

/** The map with named members that a value may be, if there is one such and nothing in it is to be hidden as a whole. */
function membersOf(node: SchemaNode): SchemaNode | undefined {
  const [only, ...others] = [node, ...(node.anyOf ?? [])].filter(({ properties }) => properties !== undefined);
  return node.secret || others.length > 0 ? undefined : only;
}

function print(terminal: Terminal, plugins: readonly Listed[], withOptions: boolean): void {
  const paint = paintFor(terminal.out, terminal.env);
  const width = Math.max(0, ...plugins.map(({ name }) => name.length));
  const headings: Readonly<Record<PluginKind, string>> = { link: "Links", storage: "Storages", tracer: "Tracers" };
  for (const kind of new Set(plugins.map((plugin) => plugin.kind))) {
    terminal.out.write(`${paint("bold", headings[kind])}\n`);
    for (const plugin of plugins.filter((one) => one.kind === kind)) {
      const stability = plugin.stability === "stable" ? "" : ` ${paint("yellow", `(${plugin.stability})`)}`;
      terminal.out.write(`  ${paint("cyan", plugin.name.padEnd(width))}  ${plugin.summary}${stability}\n`);
      if (withOptions) for (const option of plugin.options) terminal.out.write(`      ${optionText(option)}\n`);
      if (withOptions && plugin.aliases.length > 0)
        terminal.out.write(`      also known as ${plugin.aliases.join(", ")}\n`);
    }
  }
}

function optionText({ name, type, required, default: fallback, description }: ListedOption): string {
  const parent = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  const must = parent === "" ? "required" : `required in ${parent}`;
  const otherwise = required ? must : fallback === undefined ? "optional" : `default ${JSON.stringify(fallback)}`;
  return `${name} (${type}, ${otherwise}): ${description}`;
}
