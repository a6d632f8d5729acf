import type { Json, Vcon } from "./document.ts";
import type { Finding } from "./finding.ts";
import { isRawNumber, keepsRawNumbers, mayRound, parseKeepingNumbers } from "./json-number.ts";
import { type JsonProblem, scanJson } from "./json-scan.ts";
import { pointerOf } from "./pointer.ts";
import { type RuleCode, ruleOf } from "./rules/catalogue.ts";

export type { JsonProblem } from "./json-scan.ts";

/** A parsed text with what is odd about it, or why it is refused. */
export type ParsedJson =
  | { readonly ok: true; readonly value: Json; readonly findings: readonly Finding[] }
  | { readonly ok: false; readonly problem: JsonProblem };

// made once: making one costs as much as encoding a small document
const UTF8 = new TextEncoder();
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Deepest nesting of arrays and objects that is accepted. */
export const MAX_DEPTH = 200;

/**
 * Parses JSON that comes from outside. Refused: malformed text, bytes that are not UTF-8, U+0000 and lone surrogates
 * (databases cannot hold them), nesting beyond `maxDepth`. Repeated member names are findings; the last one counts.
 * Numbers that a double would change keep their text.
 */
export function parseJson(content: string | Uint8Array, maxDepth: number = MAX_DEPTH): ParsedJson {
  const text = textOf(content);
  if (text === undefined) return refused("form.utf8", "the bytes are not UTF-8");
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { problem } = scanJson(text, maxDepth);
    return problem
      ? { ok: false, problem }
      : refused("form.json", error instanceof Error ? error.message : "malformed");
  }
  const seen = survey(value, maxDepth);
  const clean = seen.sound && seen.members === membersIn(text) && hasSoundText(content, text) && !mayRound(text);
  return clean ? { ok: true, value, findings: [] } : scanned(text, value, maxDepth);
}

/** The first thing in an already parsed value for which `parseJson` would have refused its text. */
export const problemOf = (value: unknown, maxDepth: number = MAX_DEPTH): JsonProblem | undefined =>
  locate(value, [], maxDepth);

/** The document as JSON text, without spaces; raw numbers as they were read. */
export const serialize = (vcon: Vcon): string => JSON.stringify(vcon);

/** The document as UTF-8 JSON. */
export const toBytes = (vcon: Vcon): Uint8Array => UTF8.encode(JSON.stringify(vcon));

/** JSON text of any length as a value, numbers kept; `undefined` when it is not JSON. For texts inside documents. */
export function jsonText(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    return mayRound(text) || !survey(value, MAX_DEPTH).sound ? parseKeepingNumbers(text) : value;
  } catch {
    return undefined;
  }
}

const refused = (code: JsonProblem["code"], message: string): ParsedJson => ({
  ok: false,
  problem: { code, message, pointer: "", offset: 0 },
});

function textOf(content: string | Uint8Array): string | undefined {
  if (typeof content === "string") return content.startsWith("\uFEFF") ? content.slice(1) : content;
  try {
    return STRICT_UTF8.decode(content);
  } catch {
    return undefined;
  }
}

function scanned(text: string, value: Json, maxDepth: number): ParsedJson {
  const { problem, duplicates, inexact } = scanJson(text, maxDepth);
  if (problem) return { ok: false, problem };
  const findings = duplicates.map(
    (pointer): Finding =>
      finding("form.duplicate-key", pointer, "the name of this member occurs twice in its object; the last one counts"),
  );
  if (!inexact) return { ok: true, value, findings };
  if (keepsRawNumbers()) return { ok: true, value: parseKeepingNumbers(text), findings };
  const lost = finding("form.number", "", "a number was rounded: this runtime cannot keep it exactly");
  return { ok: true, value, findings: [...findings, lost] };
}

const finding = (code: RuleCode, pointer: string, message: string): Finding => ({
  code,
  ...ruleOf(code),
  pointer,
  message,
  fatal: false,
});

/**
 * At least as many as the text has members: colons after a quote that is not escaped. Only a string that begins with
 * a colon makes it more.
 */
function membersIn(text: string): number {
  let count = 0;
  for (let colon = text.indexOf(":"); colon >= 0; colon = text.indexOf(":", colon + 1)) {
    let at = colon - 1;
    while (isSpace(text.charCodeAt(at))) at--;
    if (text.charCodeAt(at) !== QUOTE) continue;
    const quote = at;
    while (text.charCodeAt(at - 1) === BACKSLASH) at--;
    if ((quote - at) % 2 === 0) count++;
  }
  return count;
}

const QUOTE = 34;
const BACKSLASH = 92;
const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

/** False when a string may hold U+0000 or half of a surrogate pair. */
function hasSoundText(content: string | Uint8Array, text: string): boolean {
  if (typeof content === "string" && !text.isWellFormed()) return false;
  return !text.includes("\\u") || !/\\u(?:0000|[dD][89a-fA-F])/.test(text);
}

/** Counts members, and says whether nesting and numbers stay within bounds. */
function survey(root: unknown, maxDepth: number): { readonly members: number; readonly sound: boolean } {
  let [members, sound] = [0, true];
  const visit = (value: object, depth: number): void => {
    if (depth > maxDepth) sound = false;
    if (!sound) return;
    const inside: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    if (inside !== value) members += inside.length;
    for (let at = 0; at < inside.length; at++) {
      const element = inside[at];
      if (typeof element === "number") sound &&= Number.isFinite(element);
      else if (typeof element === "object" && element !== null) visit(element, depth + 1);
    }
  };
  if (typeof root === "object" && root !== null) visit(root, 1);
  else if (typeof root === "number") sound = Number.isFinite(root);
  return { members, sound };
}

function locate(value: unknown, path: readonly (string | number)[], maxDepth: number): JsonProblem | undefined {
  const at = { pointer: pointerOf(path), offset: 0 };
  if (typeof value === "string") {
    if (value.includes("\0")) return { code: "form.nul", message: "U+0000 is not accepted in a string", ...at };
    if (!value.isWellFormed())
      return { code: "form.surrogate", message: "a string holds half of a surrogate pair", ...at };
  } else if (typeof value === "object" && value !== null) {
    if (path.length >= maxDepth) {
      return { code: "form.depth", message: `the document is nested deeper than ${maxDepth} levels`, ...at };
    }
    if (isRawNumber(value)) return undefined;
    for (const [name, member] of Object.entries(value)) {
      const found =
        locate(name, path, maxDepth) ?? locate(member, [...path, Array.isArray(value) ? Number(name) : name], maxDepth);
      if (found) return found;
    }
  }
  return undefined;
}
