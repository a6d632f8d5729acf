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
const QUOTE = 34;
const BACKSLASH = 92;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** More repeated names than this are counted as this many; the document is odd enough by then. */
const MAX_DUPLICATES = 100;

/** Reads the text token by token. Slow: for texts about which something has to be said. */
export function scanJson(text: string, maxDepth: number): ScannedJson {
  const scan: Scan = { text, maxDepth, at: 0, path: [], duplicates: [], inexact: false };
  try {
    readValue(scan, 0);
    take(scan, SPACE);
    if (scan.at < text.length) throw stop(scan, "form.json", "something follows after the end of the document");
    return { problem: undefined, duplicates: scan.duplicates, inexact: scan.inexact };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { problem: error.problem, duplicates: scan.duplicates, inexact: scan.inexact };
  }
}

/** How far a scan has come. */
interface Scan {
  readonly text: string;
  readonly maxDepth: number;
  at: number;
  readonly path: (string | number)[];
  readonly duplicates: string[];
  inexact: boolean;
}

/** Ends a scan early; never leaves this file. */
class Stop extends Error {
  readonly problem: JsonProblem;
  constructor(problem: JsonProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

const stop = ({ at, path }: Pick<Scan, "at" | "path">, code: JsonProblem["code"], message: string): Stop =>
  new Stop({ code, message, pointer: pointerOf(path), offset: at });

function expected(scan: Scan, what: string): Stop {
  const ended = scan.at >= scan.text.length;
  return stop(scan, "form.json", ended ? `the text ends where ${what} is expected` : `${what} is expected here`);
}

function take(scan: Scan, token: RegExp): string | undefined {
  token.lastIndex = scan.at;
  const found = token.exec(scan.text)?.[0];
  if (found !== undefined) scan.at += found.length;
  return found;
}

function takeMark(scan: Scan, mark: string): boolean {
  take(scan, SPACE);
  if (scan.text[scan.at] !== mark) return false;
  scan.at++;
  return true;
}

function readValue(scan: Scan, depth: number): void {
  take(scan, SPACE);
  const first = scan.text[scan.at];
  if ((first === "{" || first === "[") && depth >= scan.maxDepth) {
    throw stop(scan, "form.depth", `the document is nested deeper than ${scan.maxDepth} levels`);
  }
  if (first === "{") readMembers(scan, depth + 1);
  else if (first === "[") readElements(scan, depth + 1);
  else if (first === '"') readString(scan);
  else readScalar(scan);
}

function readScalar(scan: Scan): void {
  const number = take(scan, NUMBER);
  if (number !== undefined) scan.inexact ||= !isExact(number);
  else if (take(scan, LITERAL) === undefined) throw expected(scan, "a value");
}

function readMembers(scan: Scan, depth: number): void {
  const names = new Set<string>();
  scan.at++;
  if (takeMark(scan, "}")) return;
  do {
    take(scan, SPACE);
    if (scan.text[scan.at] !== '"') throw expected(scan, "a member name in double quotes");
    const name = readString(scan);
    scan.path.push(name);
    if (names.has(name) && scan.duplicates.length < MAX_DUPLICATES) scan.duplicates.push(pointerOf(scan.path));
    names.add(name);
    if (!takeMark(scan, ":")) throw expected(scan, "a colon");
    readValue(scan, depth);
    scan.path.pop();
  } while (takeMark(scan, ","));
  if (!takeMark(scan, "}")) throw expected(scan, "a comma or the end of the object");
}

function readElements(scan: Scan, depth: number): void {
  scan.at++;
  if (takeMark(scan, "]")) return;
  let index = 0;
  do {
    scan.path.push(index++);
    readValue(scan, depth);
    scan.path.pop();
  } while (takeMark(scan, ","));
  if (!takeMark(scan, "]")) throw expected(scan, "a comma or the end of the array");
}

function readString(scan: Scan): string {
  const start = scan.at++;
  for (;;) {
    const code = scan.text.charCodeAt(scan.at);
    if (code === QUOTE) break;
    if (Number.isNaN(code)) throw stop(scan, "form.json", "the text ends inside a string");
    if (code < 32) throw stop(scan, "form.json", "a control character must be escaped inside a string");
    if (code !== BACKSLASH) scan.at++;
    else if (take(scan, ESCAPE) === undefined)
      throw stop(scan, "form.json", "this escape sequence does not exist in JSON");
  }
  scan.at++;
  const content: string = JSON.parse(scan.text.slice(start, scan.at));
  const place = { path: scan.path, at: start };
  if (content.includes("\0")) throw stop(place, "form.nul", "U+0000 is not accepted in a string");
  if (!content.isWellFormed()) throw stop(place, "form.surrogate", "a string holds half of a surrogate pair");
  return content;
}
