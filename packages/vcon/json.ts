import type { Json, Vcon } from "./document.ts";
import type { Finding } from "./finding.ts";
import { keepsRawNumbers, parseKeepingNumbers } from "./json-number.ts";
import { type JsonProblem, scanJson } from "./json-scan.ts";
import { pointerOf } from "./pointer.ts";

export type { JsonProblem } from "./json-scan.ts";

/** A parsed text with what is odd about it, or why it is refused. */
export type ParsedJson =
  | { readonly ok: true; readonly value: Json; readonly findings: readonly Finding[] }
  | { readonly ok: false; readonly problem: JsonProblem };

/** Deepest nesting of arrays and objects that is accepted. */
export const MAX_DEPTH = 200;

/** A run of digits, or a number with an exponent: a double may not hold it. */
const MAYBE_INEXACT = /[\d.]{16}|[:,[\s]-?\d[\d.]*[eE]/;

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
    return problem ? { ok: false, problem } : refused("form.json", error instanceof Error ? error.message : "malformed");
  }
  const suspicious = text.includes("\\u") || (typeof content === "string" && !text.isWellFormed());
  const seen = survey(value, { maxDepth, strings: suspicious });
  const clean = seen.sound && seen.members === membersIn(text) && !MAYBE_INEXACT.test(text);
  return clean ? { ok: true, value, findings: [] } : scanned(text, value, maxDepth);
}

/** The first thing in an already parsed value for which `parseJson` would have refused its text. */
export function problemOf(value: unknown, maxDepth: number = MAX_DEPTH): JsonProblem | undefined {
  return survey(value, { maxDepth, strings: true }).sound ? undefined : locate(value, [], maxDepth);
}

/** The document as JSON text, without spaces; raw numbers as they were read. */
export const serialize = (vcon: Vcon): string => JSON.stringify(vcon);

/** The document as UTF-8 JSON. */
export const toBytes = (vcon: Vcon): Uint8Array => new TextEncoder().encode(JSON.stringify(vcon));

/** JSON text of any length as a value, numbers kept; `undefined` when it is not JSON. For texts inside documents. */
export function jsonText(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    return MAYBE_INEXACT.test(text) ? parseKeepingNumbers(text) : value;
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
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}

function scanned(text: string, value: Json, maxDepth: number): ParsedJson {
  const { problem, duplicates, inexact } = scanJson(text, maxDepth);
  if (problem) return { ok: false, problem };
  const findings = duplicates.map((pointer): Finding => finding("form.duplicate-key", 2, pointer, "the name of this member occurs twice in its object; the last one counts"));
  if (!inexact) return { ok: true, value, findings };
  if (keepsRawNumbers()) return { ok: true, value: parseKeepingNumbers(text), findings };
  const lost = finding("form.number", 0, "", "a number was rounded: this runtime cannot keep it exactly");
  return { ok: true, value, findings: [...findings, lost] };
}

const finding = (code: string, rule: number, pointer: string, message: string): Finding => ({
  code,
  rule,
  level: "ADV",
  pointer,
  message,
  fixable: false,
  fatal: false,
});

/**
 * At least as many as the text has members: places where a quote and a colon meet, unless the quote is escaped.
 * Texts that can fool the count (space before a colon, a name that ends in a backslash) give NaN, which equals nothing.
 */
function membersIn(text: string): number {
  if (text.includes('\\\\"') || /"[ \t\n\r]+:/.test(text)) return Number.NaN;
  let count = 0;
  for (let at = text.indexOf('":'); at >= 0; at = text.indexOf('":', at + 2)) {
    if (text.charCodeAt(at - 1) !== 92) count++;
  }
  return count;
}

interface Limits {
  readonly maxDepth: number;
  readonly strings: boolean;
}

/** Counts members and says whether depth and strings are acceptable. */
function survey(root: unknown, { maxDepth, strings }: Limits): { members: number; sound: boolean } {
  let [members, sound] = [0, true];
  const accept = (text: string): boolean => text.isWellFormed() && !text.includes("\0");
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === "string") {
      if (strings && !accept(value)) sound = false;
    } else if (typeof value === "object" && value !== null && sound) {
      if (depth > maxDepth) {
        sound = false;
      } else if (Array.isArray(value)) {
        for (const element of value) if (typeof element !== "number") visit(element, depth + 1);
      } else {
        for (const name of Object.keys(value)) {
          members++;
          if (strings && !accept(name)) sound = false;
          const member: unknown = Reflect.get(value, name);
          if (typeof member !== "number") visit(member, depth + 1);
        }
      }
    }
  };
  visit(root, 1);
  return { members, sound };
}

function locate(value: unknown, path: readonly (string | number)[], maxDepth: number): JsonProblem | undefined {
  const at = { pointer: pointerOf(path), offset: 0 };
  if (typeof value === "string") {
    if (value.includes("\0")) return { code: "form.nul", message: "U+0000 is not accepted in a string", ...at };
    if (!value.isWellFormed()) return { code: "form.surrogate", message: "a string holds half of a surrogate pair", ...at };
  } else if (typeof value === "object" && value !== null) {
    if (path.length >= maxDepth) {
      return { code: "form.depth", message: `the document is nested deeper than ${maxDepth} levels`, ...at };
    }
    for (const [name, member] of Object.entries(value)) {
      const found = locate(name, path, maxDepth) ?? locate(member, [...path, Array.isArray(value) ? Number(name) : name], maxDepth);
      if (found) return found;
    }
  }
  return undefined;
}
