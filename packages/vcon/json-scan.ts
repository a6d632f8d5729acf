import { isExact } from "./json-number.ts";
import { pointerOf } from "./pointer.ts";

/** Why a text is refused, and where. */
export interface JsonProblem {
  readonly code: "form.json" | "form.utf8" | "form.nul" | "form.surrogate" | "form.depth";
  readonly message: string;
  /** JSON pointer of the value that was being read. */
  readonly pointer: string;
  /** Characters (UTF-16 code units) before the place. */
  readonly offset: number;
}

export interface ScannedJson {
  readonly problem: JsonProblem | undefined;
  /** Pointers of members whose name occurred before in the same object; the last one counts, as in `JSON.parse`. */
  readonly duplicates: readonly string[];
  /** Whether a number was met that a double would change. */
  readonly inexact: boolean;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** More repeated names than this are counted as this many; the document is odd enough by then. */
const MAX_DUPLICATES = 100;

/** Reads the text token by token. Slow: for texts about which something has to be said. */
export function scanJson(text: string, maxDepth: number): ScannedJson {
  const scan = scanner(text, maxDepth);
  try {
    scan.document();
    return { problem: undefined, ...scan.seen() };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { problem: error.problem, ...scan.seen() };
  }
}

/** Ends a scan early; never leaves this file. */
class Stop extends Error {
  readonly problem: JsonProblem;
  constructor(problem: JsonProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

function scanner(text: string, maxDepth: number) {
  const path: (string | number)[] = [];
  const duplicates: string[] = [];
  let [at, inexact] = [0, false];

  const stop = (code: JsonProblem["code"], message: string, offset = at): never => {
    throw new Stop({ code, message, pointer: pointerOf(path), offset });
  };
  const malformed = (wanted: string): never =>
    stop("form.json", at >= text.length ? `the text ends where ${wanted} is expected` : `${wanted} is expected here`);
  const take = (token: RegExp): string | undefined => {
    token.lastIndex = at;
    const found = token.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const punctuation = (mark: string): boolean => {
    take(SPACE);
    if (text[at] !== mark) return false;
    at++;
    return true;
  };

  function string(): string {
    const start = at++;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 34) break;
      if (Number.isNaN(code)) stop("form.json", "the text ends inside a string");
      if (code < 32) stop("form.json", "a control character must be escaped inside a string");
      if (code !== 92) at++;
      else if (take(ESCAPE) === undefined) stop("form.json", "this escape sequence does not exist in JSON");
    }
    at++;
    const value: unknown = JSON.parse(text.slice(start, at));
    const content = typeof value === "string" ? value : "";
    if (content.includes("\0")) stop("form.nul", "U+0000 is not accepted in a string", start);
    if (!content.isWellFormed()) stop("form.surrogate", "a string holds half of a surrogate pair", start);
    return content;
  }

  function members(depth: number): void {
    const names = new Set<string>();
    at++;
    if (punctuation("}")) return;
    do {
      take(SPACE);
      if (text[at] !== '"') malformed("a member name in double quotes");
      const name = string();
      path.push(name);
      if (names.has(name) && duplicates.length < MAX_DUPLICATES) duplicates.push(pointerOf(path));
      names.add(name);
      if (!punctuation(":")) malformed("a colon");
      value(depth);
      path.pop();
    } while (punctuation(","));
    if (!punctuation("}")) malformed("a comma or the end of the object");
  }

  function elements(depth: number): void {
    at++;
    if (punctuation("]")) return;
    let index = 0;
    do {
      path.push(index++);
      value(depth);
      path.pop();
    } while (punctuation(","));
    if (!punctuation("]")) malformed("a comma or the end of the array");
  }

  function value(depth: number): void {
    take(SPACE);
    const first = text[at];
    if ((first === "{" || first === "[") && depth >= maxDepth) {
      stop("form.depth", `the document is nested deeper than ${maxDepth} levels`);
    }
    if (first === "{") members(depth + 1);
    else if (first === "[") elements(depth + 1);
    else if (first === '"') string();
    else scalar();
  }

  function scalar(): void {
    const number = take(NUMBER);
    if (number !== undefined) inexact ||= !isExact(number);
    else if (take(LITERAL) === undefined) malformed("a value");
  }

  return {
    document() {
      value(0);
      take(SPACE);
      if (at < text.length) stop("form.json", "something follows after the end of the document");
    },
    seen: () => ({ duplicates, inexact }),
  };
}
