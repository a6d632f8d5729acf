import { z } from "zod";

/** The part of JSON Schema that option schemas become, with our marks `secret` and `list`. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly prefixItems?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  /** Masked wherever it is shown. */
  readonly secret?: boolean;
  /** Name of a list that a link sends to. */
  readonly list?: boolean;
  /** Address of a service that may be on a private network. */
  readonly service?: boolean;
  /** Address that is sent to only where it is public or allowed. */
  readonly receiver?: boolean;
}

/** An option schema as data: what may be written, not what comes out. */
export const factsOf = (schema: z.ZodType): SchemaNode =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as SchemaNode;

/** The schema itself and its alternatives, each alone. */
export function alternatives(node: SchemaNode): readonly SchemaNode[] {
  const inner = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return [node, ...inner.flatMap(alternatives)];
}

/** Schemas that apply to a member of something described by `nodes`. */
export function below(nodes: readonly SchemaNode[], part: string | number): readonly SchemaNode[] {
  const children = nodes.flatMap((node): readonly (SchemaNode | undefined)[] => {
    if (typeof part === "number") return [node.prefixItems?.[part] ?? node.items];
    const own = node.properties && Object.hasOwn(node.properties, part) ? node.properties[part] : undefined;
    return [own ?? (typeof node.additionalProperties === "object" ? node.additionalProperties : undefined)];
  });
  return children.filter((child) => child !== undefined).flatMap(alternatives);
}

/** Keys that may be written at a path below a schema. */
export function keysAt(schema: SchemaNode, path: readonly (string | number)[]): readonly string[] {
  const nodes = path.reduce<readonly SchemaNode[]>(below, alternatives(schema));
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

/**
 * Describes in words the kinds of value a path accepts, if there are several: `a text, or a map with name and value`.
 * Returns `undefined` if the schema does not say.
 */
export function choicesAt(schema: SchemaNode, path: readonly (string | number)[]): string | undefined {
  const nodes = path.reduce<readonly SchemaNode[]>(below, alternatives(schema));
  const words = [...new Set(nodes.flatMap((node) => kindText(node) ?? []))];
  return words.length > 0 ? words.join(", or ") : undefined;
}

function kindText(node: SchemaNode): string | undefined {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(", ");
  if (node.properties) {
    const names = node.required ?? Object.keys(node.properties);
    return `a map with ${names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join("")}`;
  }
  const types = [node.type ?? []].flat().flatMap((type) => KIND[type] ?? []);
  return types.length > 0 ? types.join(", or ") : undefined;
}

const KIND: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
};

/** Calls `visit` for every text in a value together with the schemas that apply to it. */
export function eachText(
  value: unknown,
  schema: SchemaNode,
  visit: (text: string, path: readonly (string | number)[], nodes: readonly SchemaNode[]) => void,
): void {
  function walk(at: unknown, path: readonly (string | number)[], nodes: readonly SchemaNode[]): void {
    if (typeof at === "string") visit(at, path, nodes);
    else if (Array.isArray(at))
      for (const [index, item] of at.entries()) walk(item, [...path, index], below(nodes, index));
    else if (typeof at === "object" && at !== null) {
      for (const [key, item] of Object.entries(at)) walk(item, [...path, key], below(nodes, key));
    }
  }
  walk(value, [], alternatives(schema));
}

/** A type as a person reads it: `string`, `list of string`, `map of secret`, `"a" or "b"`, `{x: number}`. */
export function typeText(node: SchemaNode): string {
  if (node.secret) return "secret";
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(" or ");
  const inner = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  if (inner.length > 0) return [...new Set(inner.map(typeText))].filter((type) => type !== "").join(" or ");
  if (node.items) return `list of ${grouped(typeText(node.items))}`;
  if (node.properties)
    return `{${Object.entries(node.properties)
      .map(member(node.required ?? []))
      .join(", ")}}`;
  if (typeof node.additionalProperties === "object") return `map of ${grouped(typeText(node.additionalProperties))}`;
  const types = [node.type ?? "any"].flat().filter((type) => type !== "null");
  return types.map((type) => PLAIN[type] ?? type).join(" or ");
}

const PLAIN: Readonly<Record<string, string>> = { object: "map", array: "list" };

const grouped = (type: string): string => (type.includes(" or ") ? `(${type})` : type);

const member =
  (required: readonly string[]) =>
  ([key, node]: readonly [string, SchemaNode]): string =>
    `${key}${required.includes(key) ? "" : "?"}: ${typeText(node)}`;
