import { factsOf, type SchemaNode, typeText } from "@vcon-server/core/config";
import type { z } from "zod";

/** What a plug-in says about itself. */
export interface Documented {
  readonly name: string;
  readonly summary: string;
  readonly options: z.ZodType;
  readonly aliases?: readonly string[];
  readonly stability?: string;
}

export const BEGIN = "<!-- generated: npm run gen -->";
export const END = "<!-- /generated -->";

/** The generated part of a plug-in's README: everything between the two markers. */
export function optionsSection(plugin: Documented): string {
  return [BEGIN, `# ${plugin.name}`, "", ...introduction(plugin), ...optionsTable(plugin), END].join("\n");
}

/** What a plug-in does, how stable it is and which other names it has. */
export function introduction({ summary, stability, aliases = [] }: Documented): string[] {
  const lines = [summary, ""];
  if (stability !== undefined && stability !== "stable") lines.push(`Stability: ${stability}.`, "");
  if (aliases.length > 0) lines.push(`Other module names: ${aliases.map(code).join(", ")}.`, "");
  return lines;
}

/** The options as a table; nested ones follow their parent as `parent.child`. */
export function optionsTable({ name, options }: Documented): string[] {
  const rows = rowsOf(factsOf(options), "", name);
  return rows.length > 0
    ? ["| option | type | default | meaning |", "| --- | --- | --- | --- |", ...rows]
    : ["No options."];
}

/** One row for every property of a schema, nested ones included. */
export function rowsOf(schema: SchemaNode, prefix: string, owner: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, node]) => {
    const option = `${prefix}${key}`;
    if (!node.description) throw new Error(`${owner}: option "${option}" has no description`);
    const required = schema.required?.includes(key) === true;
    const fallback = node.default === undefined ? "" : code(JSON.stringify(node.default));
    const cells = [code(option), shortType(node), required ? "**required**" : fallback, node.description];
    return [`| ${cells.map(escaped).join(" | ")} |`, ...rowsOf(nested(node), `${option}.`, owner)];
  });
}

/** The map behind a property that may also be absent, when it is the only alternative with named members. */
function nested(node: SchemaNode): SchemaNode {
  const maps = [node, ...(node.anyOf ?? [])].filter(({ properties }) => properties !== undefined);
  const [only] = maps;
  return maps.length === 1 && only ? only : {};
}

/** Members that get rows of their own need not be spelled out in the type. */
const shortType = (node: SchemaNode): string => (nested(node).properties ? "map" : typeText(node));

const code = (text: string): string => `\`${text}\``;

const escaped = (cell: string): string => cell.replaceAll("|", "\\|").replaceAll("\n", " ");

/** A README with its generated part replaced, or a new one. */
export function withSection(readme: string | undefined, section: string): string {
  if (readme === undefined) return `${section}\n`;
  const start = readme.indexOf(BEGIN);
  const end = readme.indexOf(END, start);
  if (start < 0 || end < 0) return `${section}\n\n${readme}`;
  return readme.slice(0, start) + section + readme.slice(end + END.length);
}
