import { isDeepStrictEqual } from "node:util";
import { isRawNumber, type Json } from "@vcon-server/vcon";
import { z } from "zod";

const path = z.string().regex(/^(\/([^~/]|~[01])*)*$/, { error: "must be a JSON pointer" });
const value = z.custom<Json>((given) => given !== undefined, { error: "is required" });

const Operation = z.discriminatedUnion("op", [
  z.object({ op: z.literal("add"), path, value }),
  z.object({ op: z.literal("remove"), path }),
  z.object({ op: z.literal("replace"), path, value }),
  z.object({ op: z.literal("move"), path, from: path }),
  z.object({ op: z.literal("copy"), path, from: path }),
  z.object({ op: z.literal("test"), path, value }),
]);

/** An RFC 6902 patch. */
export const JsonPatch = z.array(Operation).max(1000);
export type JsonPatch = z.infer<typeof JsonPatch>;
type Operation = JsonPatch[number];

/** The operation that cannot be carried out, and why. A `test` that fails is one of them. */
export interface PatchRefusal {
  readonly ok: false;
  readonly at: number;
  readonly test: boolean;
  readonly message: string;
}

export type Patched = { readonly ok: true; readonly value: Json } | PatchRefusal;

/**
 * The document with an RFC 6902 patch applied; what it does not touch is shared, nothing is changed in place.
 * `maxCopied` bounds the characters that `copy` may add: copies of copies would grow without end.
 */
export function jsonPatch(document: Json, patch: JsonPatch, maxCopied: number): Patched {
  let current = document;
  let room = maxCopied;
  for (const [at, operation] of patch.entries()) {
    if (operation.op === "copy") room -= weigh(lookUp(current, tokensOf(operation.from))?.value ?? null, room);
    const result =
      room < 0 ? `copying from ${pathOf(operation)} makes the document too large` : applied(current, operation);
    if (typeof result === "string") return { ok: false, at, test: operation.op === "test", message: result };
    current = result.value;
  }
  return { ok: true, value: current };
}

/** The changed document in a box, or why not. */
type Applied = { readonly value: Json } | string;

function applied(document: Json, operation: Operation): Applied {
  const tokens = tokensOf(operation.path);
  switch (operation.op) {
    case "add":
      return edit(document, tokens, { kind: "add", value: operation.value });
    case "replace":
      return edit(document, tokens, { kind: "replace", value: operation.value });
    case "remove":
      return edit(document, tokens, { kind: "remove" });
    case "test": {
      const found = lookUp(document, tokens);
      if (found === undefined) return `there is nothing at ${operation.path}`;
      return isDeepStrictEqual(found.value, operation.value)
        ? { value: document }
        : `the value at ${operation.path} is another one`;
    }
    case "copy":
    case "move":
      return transfer(document, operation, tokens);
  }
}

function transfer(
  document: Json,
  { op, from, path }: Extract<Operation, { op: "copy" | "move" }>,
  tokens: readonly string[],
): Applied {
  const source = tokensOf(from);
  const found = lookUp(document, source);
  if (found === undefined) return `there is nothing at ${from}`;
  if (op === "copy") return edit(document, tokens, { kind: "add", value: found.value });
  if (path === from) return { value: document };
  if (path.startsWith(`${from}/`)) return `${from} cannot be moved into itself`;
  const without = edit(document, source, { kind: "remove" });
  return typeof without === "string" ? without : edit(without.value, tokens, { kind: "add", value: found.value });
}

const pathOf = (operation: Operation): string => ("from" in operation ? operation.from : operation.path);

/** About how many characters the value takes as JSON; stops counting beyond `limit`. */
function weigh(value: Json, limit: number): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 5;
  let weight = 2;
  for (const [name, member] of Object.entries(value)) {
    weight += (isArray(value) ? 1 : name.length + 4) + weigh(member, limit - weight);
    if (weight > limit) break;
  }
  return weight;
}

const tokensOf = (text: string): string[] =>
  text
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);
const isObject = (value: Json): value is { readonly [member: string]: Json } =>
  typeof value === "object" && value !== null && !isArray(value) && !isRawNumber(value);

/** Position in an array; `-` is the place after the last. */
function position(token: string, length: number): number | undefined {
  if (token === "-") return length;
  return /^(0|[1-9]\d{0,8})$/.test(token) ? Number(token) : undefined;
}

function lookUp(document: Json, tokens: readonly string[]): { readonly value: Json } | undefined {
  let value = document;
  for (const token of tokens) {
    const child = childOf(value, token);
    if (child === undefined) return undefined;
    value = child;
  }
  return { value };
}

function childOf(value: Json, token: string): Json | undefined {
  if (isArray(value)) {
    const at = position(token, value.length);
    return at === undefined ? undefined : value[at];
  }
  return isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;
}

type Edit = { readonly kind: "add" | "replace"; readonly value: Json } | { readonly kind: "remove" };

/** Copies the path down to the place of the edit. */
function edit(node: Json, tokens: readonly string[], change: Edit): Applied {
  const [token, ...rest] = tokens;
  if (token === undefined)
    return change.kind === "remove" ? "the document itself cannot be removed" : { value: change.value };
  if (rest.length === 0) return editHere(node, token, change);
  const child = childOf(node, token);
  if (child === undefined) return `there is nothing at ${JSON.stringify(token)}`;
  const inner = edit(child, rest, change);
  return typeof inner === "string" ? inner : editHere(node, token, { kind: "replace", value: inner.value });
}

function editHere(node: Json, token: string, change: Edit): Applied {
  if (isArray(node)) {
    const at = position(token, node.length);
    const last = change.kind === "add" ? node.length : node.length - 1;
    if (at === undefined || at > last) return `${JSON.stringify(token)} is no position in this array`;
    return {
      value: node.toSpliced(at, change.kind === "add" ? 0 : 1, ...(change.kind === "remove" ? [] : [change.value])),
    };
  }
  if (!isObject(node)) return `${JSON.stringify(token)} is asked of something that has no members`;
  if (change.kind !== "add" && !Object.hasOwn(node, token)) return `there is nothing at ${JSON.stringify(token)}`;
  const members = new Map(Object.entries(node));
  if (change.kind === "remove") members.delete(token);
  else members.set(token, change.value);
  return { value: Object.fromEntries(members) };
}
