import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from "yaml";
import type { FindingCode, Path, Problem } from "./findings.ts";

/** A parsed YAML text: its value, and where things stand in it. */
export interface YamlSource {
  readonly document: Document.Parsed;
  /** Plain data; `undefined` when the text cannot be understood at all. */
  readonly value: unknown;
  /** Position of the key or value (the value of nothing is its key) at a path, or of the nearest thing around it. */
  locate(path: Path, at?: "key" | "value"): Position;
}

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly col: number;
}

/** A problem of the text itself, with its position. */
export interface TextProblem extends Problem, Position {
  readonly code: FindingCode;
}

/** More than any configuration needs, and less than what makes a parser suffer. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Reads YAML 1.2 with merge keys. Problems are returned, never thrown. */
export function readYaml(text: string): { readonly source: YamlSource; readonly problems: readonly TextProblem[] } {
  const tooLarge = text.length > MAX_BYTES;
  const lines = new LineCounter();
  const document = parseDocument(tooLarge ? "" : text, { lineCounter: lines, merge: true, prettyErrors: false });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), col: Math.max(1, col) };
  };
  const problems = textProblems(document, place, text.split("\n"));
  if (tooLarge) problems.push({ ...START, code: "VCON_CONFIG_TOO_LARGE", path: [], ...TOO_LARGE });
  const readable = problems.every(({ code }) => code === "VCON_CONFIG_DUPLICATE_KEY");
  const value = readable ? toData(document, problems, place) : undefined;
  const locate: YamlSource["locate"] = (path, at = "value") => place(offsetOf(document, path, at));
  return { source: { document, value, locate }, problems };
}

const START: Position = { line: 1, col: 1 };
const TOO_LARGE = { message: "the file is larger than 4 MiB", remedy: "keep data out of the configuration" };

function textProblems(
  document: Document.Parsed,
  place: (offset: number) => Position,
  lines: readonly string[],
): TextProblem[] {
  const problems = [...document.errors, ...document.warnings].map((error): TextProblem => {
    const known = KNOWN_PROBLEMS[error.code];
    const position = place(error.pos[0]);
    // braces of a reference end the map or list it stands in
    const bare = lines[position.line - 1]?.includes("${") ? QUOTE_REFERENCE : undefined;
    const remedy = bare ?? REMEDIES[error.code] ?? "correct the YAML here";
    const message = TOO_DEEP.test(error.message) ? "this is nested too deep to be read" : lowerFirst(error.message);
    return { code: "VCON_CONFIG_YAML", message, remedy, ...known, ...position, path: [] };
  });
  // one slip makes the parser stumble several times on its line
  const first = (problem: TextProblem) =>
    problems.find(({ code, line }) => code === problem.code && line === problem.line);
  return problems.filter((problem) => problem.code !== "VCON_CONFIG_YAML" || first(problem) === problem);
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the configuration
const QUOTE_REFERENCE = 'inside { } and [ ], put references in quotes: "${NAME}"';

const TOO_DEEP = /call stack/i;

const KNOWN_PROBLEMS: Readonly<Record<string, Pick<TextProblem, "code" | "message" | "remedy">>> = {
  DUPLICATE_KEY: {
    code: "VCON_CONFIG_DUPLICATE_KEY",
    message: "this key stands twice in its map",
    remedy: "keep one of them",
  },
  TAG_RESOLVE_FAILED: {
    code: "VCON_CONFIG_TAG",
    message: "this YAML tag is not supported",
    remedy: "write a plain value",
  },
};

const REMEDIES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "indent with spaces",
  BAD_INDENT: "align it with its neighbours, indent it under its parent, or close the bracket",
  BAD_ALIAS: "write a name after the asterisk, or quote the text",
  MISSING_CHAR: "close what was opened, or quote the text",
  MULTIPLE_DOCS: "keep one document; remove what follows `---`",
  BLOCK_AS_IMPLICIT_KEY: "put the nested map on lines of its own, or quote a text that holds a colon",
  MULTILINE_IMPLICIT_KEY: "put a colon and a space after the key",
  BAD_SCALAR_START: "quote a text that begins with this character",
  BAD_DQ_ESCAPE: "write the backslash twice, or use single quotes",
};

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** Values that a document with aliases may come to: what is shared once is walked through in every place. */
const MAX_VALUES = 200_000;

const TOO_MANY = "aliases multiply to more than a configuration can hold";

/** Aliases are resolved while data is made, and that is when a missing anchor or a bomb shows. */
function toData(document: Document.Parsed, problems: TextProblem[], place: (offset: number) => Position): unknown {
  const { aliases, fault } = checkAliases(document);
  const refuse = (offset: number, message: string): undefined => {
    problems.push({ ...place(offset), code: "VCON_CONFIG_ALIAS", path: [], message, remedy: "write the value out" });
  };
  if (fault) return refuse(fault.offset, fault.message);
  try {
    const value: unknown = document.toJS({ maxAliasCount: 1000 });
    return aliases > 0 && countValues(value) > MAX_VALUES ? refuse(0, TOO_MANY) : value;
  } catch {
    return refuse(0, TOO_MANY);
  }
}

/** How many aliases there are, and the first that leads nowhere or into what it stands in. */
function checkAliases(document: Document.Parsed) {
  let aliases = 0;
  let fault: { readonly offset: number; readonly message: string } | undefined;
  visit(document, {
    Alias(_, alias, around) {
      aliases += 1;
      const meant = alias.resolve(document);
      if (meant && !around.includes(meant)) return undefined;
      const message = meant ? "this alias stands inside what it refers to" : "this alias has no anchor before it";
      fault = { offset: alias.range?.[0] ?? 0, message };
      return visit.BREAK;
    },
  });
  return { aliases, fault };
}

/** Values of a document with everything written out; what is shared is looked at once. */
function countValues(value: unknown, known = new Map<object, number>()): number {
  if (typeof value !== "object" || value === null) return 1;
  const before = known.get(value);
  if (before !== undefined) return before;
  const count = Object.values(value).reduce<number>((sum, item) => sum + countValues(item, known), 1);
  known.set(value, count);
  return count;
}

/** Follows a path through maps, lists, aliases and merge keys as far as it leads. */
function offsetOf(document: Document.Parsed, path: Path, at: "key" | "value"): number {
  let node: unknown = document.contents;
  let value = startOf(node) ?? 0;
  let key = value;
  for (const part of path) {
    const inside = resolved(document, node);
    const pair = isMap(inside) ? findPair(document, inside.items, String(part)) : undefined;
    const next: unknown = isSeq(inside) && typeof part === "number" ? inside.items[part] : pair?.value;
    if (pair === undefined && next === undefined) break;
    key = startOf(pair?.key) ?? startOf(next) ?? value;
    value = isNothing(next) ? key : (startOf(next) ?? key);
    node = next;
  }
  return at === "key" ? key : value;
}

/** An empty value stands nowhere; its key does. */
const isNothing = (node: unknown): boolean =>
  isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1];

function findPair(document: Document.Parsed, pairs: readonly Pair[], key: string): Pair | undefined {
  const own = pairs.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
  if (own) return own;
  for (const { key: name, value } of pairs) {
    if (!(isScalar(name) && name.value === "<<")) continue;
    const merged = resolved(document, value);
    for (const one of isSeq(merged) ? merged.items : [merged]) {
      const map = resolved(document, one);
      const found = isMap(map) ? findPair(document, map.items, key) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

const resolved = (document: Document.Parsed, node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);

const startOf = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined);
