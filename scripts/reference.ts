import { CATALOGUE } from "@vcon-server/core";
import { DOCUMENT, FINDINGS, factsOf, type SchemaNode, VARIABLES, type Variable } from "@vcon-server/core/config";
import type { PluginFolder } from "./plugin-folders.ts";
import { BEGIN, type Documented, introduction, optionsTable, rowsOf } from "./readme.ts";

export interface Shipped extends PluginFolder {
  readonly plugin: Documented;
}

const page = (title: string, ...lines: readonly string[]): string => [BEGIN, `# ${title}`, "", ...lines, ""].join("\n");

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** `docs/errors.md`: every coded error and every finding of the linter. */
export function errorsPage(): string {
  const errors = Object.entries(CATALOGUE).map(
    ([code, { title, status, retryable }]) =>
      `| \`${code}\` | ${status} | ${retryable ? "yes" : "no"} | ${cell(title)} |`,
  );
  const findings = Object.entries(FINDINGS).map(
    ([code, { severity, title }]) => `| \`${code}\` | ${severity} | ${cell(title)} |`,
  );
  return page(
    "Errors",
    "Codes are part of the interface: they are never renamed and never used again for something else.",
    "",
    "## Coded errors",
    "",
    "The status is what a client of the gateway gets. A retryable failure may succeed later without anybody changing anything.",
    "",
    "| code | status | retryable | meaning |",
    "| --- | --- | --- | --- |",
    ...errors,
    "",
    "## Findings about the configuration",
    "",
    "`vcon-server lint` lists them as `file:line:col path: message; remedy`. With errors nothing starts and nothing is replaced.",
    "",
    "| code | severity | meaning |",
    "| --- | --- | --- |",
    ...findings,
  );
}

/** `docs/reference/settings.md`: every environment variable. */
export function settingsPage(): string {
  const variables: readonly (readonly [string, Variable])[] = Object.entries(VARIABLES);
  const rows = variables.map(
    ([name, { meaning, fallback, secret }]) =>
      `| \`${name}\` | ${fallback === undefined ? "" : `\`${fallback}\``} | ${secret ? "yes" : ""} | ${cell(meaning)} |`,
  );
  return page(
    "Settings",
    "Environment variables, read once at start. A file `.env` in the working directory stands in for what the environment does not set. An empty variable counts as unset.",
    "",
    "| variable | default | secret | meaning |",
    "| --- | --- | --- | --- |",
    ...rows,
  );
}

/** `docs/reference/configuration.md`: every key of the configuration file. */
export function configurationPage(): string {
  const sections = Object.entries(factsOf(DOCUMENT).properties ?? {}).flatMap(([name, node]) => {
    const entry = entryOf(node);
    const rows = entry ? rowsOf(entry, "", name) : [];
    const table =
      rows.length > 0 ? ["", "| key | type | default | meaning |", "| --- | --- | --- | --- |", ...rows] : [];
    return [`## ${name}`, "", node.description ?? "", ...table, ""];
  });
  return page(
    "Configuration file",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the configuration
    "`${NAME}` stands for an environment variable, `${NAME:-default}` for one with a default, `${file:/path}` for the content of a file; `$${` is a literal `${`. Keys at the top that begin with `x-` are ignored. Durations are in seconds.",
    "",
    ...sections,
  )
    .trimEnd()
    .concat("\n");
}

/** The map that each named or listed entry of a section is. */
function entryOf(section: SchemaNode): SchemaNode | undefined {
  const forms = [section, ...(section.anyOf ?? [])];
  const entries = forms.map(
    ({ items, additionalProperties }) =>
      items ?? (typeof additionalProperties === "object" ? additionalProperties : undefined),
  );
  return entries.find((entry) => entry?.properties !== undefined);
}

/** `docs/reference/plugins.md`: every link, storage and tracer with its options. */
export function pluginsPage(shipped: readonly Shipped[]): string {
  const sections = (["links", "storages", "tracers"] as const).flatMap((group) => {
    const own = shipped.filter((one) => one.group === group);
    const entries = own.flatMap(({ plugin }) => [
      "",
      `### ${plugin.name}`,
      "",
      ...introduction(plugin),
      ...optionsTable(plugin),
    ]);
    return own.length > 0 ? [`## ${group}`, ...entries, ""] : [];
  });
  return page("Plug-ins", ...sections)
    .trimEnd()
    .concat("\n");
}

/** `docs/reference/config.schema.json`: for editors that complete and check as one types. */
export function configSchema(shipped: readonly Shipped[]): string {
  const schema = factsOf(DOCUMENT);
  const optionsBy = (group: PluginFolder["group"]) =>
    shipped
      .filter((one) => one.group === group)
      .map(({ plugin }) => ({
        if: { properties: { module: { enum: [plugin.name, ...(plugin.aliases ?? [])] } }, required: ["module"] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { options: { anyOf: [{ type: "null" }, withoutDialect(factsOf(plugin.options))] } } },
      }));
  const groups = Object.fromEntries(
    (["links", "storages", "tracers"] as const).map((group) => [
      group,
      { anyOf: [{ type: "null" }, { type: "object", additionalProperties: { allOf: optionsBy(group) } }] },
    ]),
  );
  const whole = {
    title: "vCon Server configuration",
    ...schema,
    allOf: [{ properties: groups }],
    patternProperties: { "^x-": {} },
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

function withoutDialect(schema: SchemaNode): SchemaNode {
  const { $schema: _, ...rest } = schema as SchemaNode & { readonly $schema?: string };
  return rest;
}
