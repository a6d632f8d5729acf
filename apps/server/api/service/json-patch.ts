import { type Json, MAX_DEPTH } from "@vcon-server/vcon";
import { z } from "zod";
import { Draft, isList, isMembers, readPosition, setMember, TooCostly } from "./patch-draft.ts";

/** A loop instead of nested repetitions: a pointer may be as long as a body. */
const isPointer = (text: string): boolean => text === "" || (text.startsWith("/") && !/~(?![01])/.test(text));
/** Nothing is deeper than a document may be, and taking a longer pointer apart would cost more than its body. */
const isShallow = (text: string): boolean => text.split("/", MAX_DEPTH + 2).length <= MAX_DEPTH + 1;
const path = z
  .string()
  .refine(isPointer, { error: "must be a JSON pointer" })
  .refine(isShallow, { error: `leads deeper than ${MAX_DEPTH} levels` });
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

/** Why a patch is refused: an operation cannot be carried out, a `test` fails, or it takes too much. */
export interface PatchRefusal {
  readonly ok: false;
  readonly reason: "impossible" | "test" | "costly";
  /** The operation, counted from 0. */
  readonly at: number;
  readonly message: string;
}

export type Patched = { readonly ok: true; readonly value: Json } | PatchRefusal;

/** Work that no patch made by hand or by a program for a real document comes near; about a second. */
const MAX_WORK = 500_000_000;

/**
 * The document with an RFC 6902 patch applied; what it does not touch is shared, nothing is changed in place.
 * `maxCopied` bounds the characters that `copy` may add.
 */
export function jsonPatch(document: Json, patch: JsonPatch, maxCopied: number): Patched {
  const draft = new Draft(document, { maxCopied, maxDepth: MAX_DEPTH, maxWork: MAX_WORK });
  for (const [at, operation] of patch.entries()) {
    try {
      const problem = carryOut(draft, operation);
      if (problem !== undefined)
        return { ok: false, reason: operation.op === "test" ? "test" : "impossible", at, message: problem };
    } catch (error) {
      if (!(error instanceof TooCostly)) throw error;
      return { ok: false, reason: "costly", at, message: error.message };
    }
  }
  return { ok: true, value: draft.root };
}

/** Carries out one operation; says why it cannot be. */
function carryOut(draft: Draft, operation: Operation): string | undefined {
  const tokens = tokensOf(operation.path);
  switch (operation.op) {
    case "add":
    case "replace":
      draft.measure(operation.value, tokens.length);
      return edit(draft, tokens, { kind: operation.op, value: operation.value });
    case "remove":
      return edit(draft, tokens, { kind: "remove" });
    case "test": {
      const found = draft.find(tokens);
      if (found === undefined) return `there is nothing at ${operation.path}`;
      return draft.equals(found.value, operation.value) ? undefined : `the value at ${operation.path} is another one`;
    }
    case "copy":
    case "move":
      return transfer(draft, operation, tokens);
  }
}

function transfer(
  draft: Draft,
  { op, from, path }: Extract<Operation, { op: "copy" | "move" }>,
  tokens: readonly string[],
): string | undefined {
  const source = tokensOf(from);
  const found = draft.find(source);
  if (found === undefined) return `there is nothing at ${from}`;
  if (op === "move" && path === from) return undefined;
  if (op === "move" && path.startsWith(`${from}/`)) return `${from} cannot be moved into itself`;
  // what does not get deeper has been measured where it is
  if (tokens.length > source.length) draft.measure(found.value, tokens.length);
  if (op === "copy") draft.share(found.value);
  const problem = op === "move" ? edit(draft, source, { kind: "remove" }) : undefined;
  return problem ?? edit(draft, tokens, { kind: "add", value: found.value });
}

const tokensOf = (text: string): string[] =>
  text
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));

type Edit = { readonly kind: "add" | "replace"; readonly value: Json } | { readonly kind: "remove" };

function edit(draft: Draft, tokens: readonly string[], change: Edit): string | undefined {
  const token = tokens.at(-1);
  if (token === undefined) {
    if (change.kind === "remove") return "the document itself cannot be removed";
    draft.root = change.value;
    return undefined;
  }
  const above = tokens.slice(0, -1);
  const found = draft.find(above);
  if (found === undefined) return `there is nothing at ${JSON.stringify(above.at(-1))}`;
  const problem = problemAt(found.value, token, change.kind);
  if (problem !== undefined) return problem;
  const node = draft.open(above);
  if (Array.isArray(node)) editList(draft, node, { token, change });
  else if (node !== undefined && change.kind === "remove") delete node[token];
  else if (node !== undefined && change.kind !== "remove") setMember(node, token, change.value);
  return undefined;
}

/** Says why there is no place for an edit. */
function problemAt(node: Json, token: string, kind: Edit["kind"]): string | undefined {
  if (isList(node)) {
    const at = readPosition(token, node.length);
    const last = kind === "add" ? node.length : node.length - 1;
    return at === undefined || at > last ? `${JSON.stringify(token)} is no position in this array` : undefined;
  }
  if (!isMembers(node)) return `${JSON.stringify(token)} is asked of something that has no members`;
  return kind !== "add" && !Object.hasOwn(node, token) ? `there is nothing at ${JSON.stringify(token)}` : undefined;
}

function editList(
  draft: Draft,
  list: Json[],
  { token, change }: { readonly token: string; readonly change: Edit },
): void {
  const at = readPosition(token, list.length) ?? list.length;
  if (change.kind === "replace") {
    list[at] = change.value;
    return;
  }
  draft.spend(list.length - at);
  list.splice(at, change.kind === "add" ? 0 : 1, ...(change.kind === "add" ? [change.value] : []));
}
