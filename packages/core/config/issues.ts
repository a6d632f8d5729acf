import type { z } from "zod";
import type { Path, Report } from "./findings.ts";
import { LIST_NAME_RULE } from "./list-names.ts";
import { choicesAt, factsOf, keysAt } from "./schema-facts.ts";
import { nearest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;
type Key = string | number;

/** What was parsed and where it stands, so that issues find their place. */
export interface Parsed {
  readonly schema: z.ZodType;
  readonly input: unknown;
  /** Place of a path below the input; options of one link can stand in two places. */
  readonly place: (path: readonly Key[]) => Path;
  /** What an unknown key is called, and how to do what it was meant for. */
  readonly hints?: Readonly<Record<string, string>>;
}

/** Turns the issues of a schema into findings that say what is there, what should be, and how to get there. */
export function reportIssues(issues: readonly Issue[], parsed: Parsed, report: Report): void {
  for (const issue of issues) reportIssue(issue, parsed, report);
}

function reportIssue(issue: Issue, parsed: Parsed, report: Report): void {
  const path = keysOf(issue.path);
  const place = parsed.place(path);
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) reportUnknownKey(key, path, parsed, report);
    return;
  }
  if (issue.code === "invalid_union") {
    const branch = deepest(issue.errors);
    if (branch) {
      reportIssues(
        branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
        parsed,
        report,
      );
      return;
    }
  }
  const value = valueAt(parsed.input, path);
  if (value === undefined && path.length > 0 && TELL_ABSENCE.has(issue.code)) {
    if (isWrittenOtherwise(path, parsed)) return;
    const { key, remedy } = missing(path);
    report("VCON_CONFIG_REQUIRED", { path: place.slice(0, -1), at: "key", message: `${key} is missing`, remedy });
    return;
  }
  if (issue.code === "invalid_type" && String(issue.expected) !== typeName(value)) {
    report("VCON_CONFIG_TYPE", { path: place, ...wrongType(issue.expected, value) });
    return;
  }
  if (issue.code === "invalid_union" && issue.message === "Invalid input") {
    const allowed = choicesAt(factsOf(parsed.schema), path);
    if (allowed) {
      report("VCON_CONFIG_TYPE", { path: place, message: `must be ${allowed}`, remedy: choiceRemedy(allowed, value) });
      return;
    }
  }
  if (issue.code === "invalid_key" && issue.issues[0] !== undefined) {
    const message = `the key ${JSON.stringify(path.at(-1))} ${plain(issue.issues[0])}`;
    report("VCON_CONFIG_VALUE", { path: place, at: "key", message, remedy: "correct the key" });
    return;
  }
  const code = issue.message === LIST_NAME_RULE ? "VCON_CONFIG_LIST_NAME" : (CODES[issue.code] ?? "VCON_CONFIG_VALUE");
  report(code, { path: place, message: plain(issue), remedy: "correct the value" });
}

/** Issues that an absent value has; others are about what a default or another option made of it. */
const TELL_ABSENCE: ReadonlySet<string> = new Set(["invalid_type", "invalid_value", "invalid_union"]);

const CODES: Readonly<Record<string, "VCON_CONFIG_RANGE" | "VCON_CONFIG_TYPE">> = {
  too_small: "VCON_CONFIG_RANGE",
  too_big: "VCON_CONFIG_RANGE",
  not_multiple_of: "VCON_CONFIG_RANGE",
  invalid_type: "VCON_CONFIG_RANGE",
};

const keysOf = (path: readonly PropertyKey[]): Key[] =>
  path.map((part) => (typeof part === "number" ? part : String(part)));

/** The alternative whose issues lie deepest is the one that was meant; none when all fail at the top. */
function deepest(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const depth = (issues: readonly Issue[]) => Math.min(...issues.map(({ path }) => path.length), 99);
  const specific = branches.filter((issues) => issues.length > 0 && (depth(issues) > 0 || issues.every(isUnknownKey)));
  return specific.toSorted((one, other) => depth(other) - depth(one))[0];
}

const isUnknownKey = (issue: Issue): boolean => issue.code === "unrecognized_keys";

function reportUnknownKey(key: string, path: readonly Key[], parsed: Parsed, report: Report): void {
  const known = keysAt(factsOf(parsed.schema), path);
  const meant = parsed.hints?.[key] === undefined ? nearest(key, known) : undefined;
  const choices = known.length > 0 ? `known are ${known.join(", ")}` : "nothing can be set here";
  report("VCON_CONFIG_UNKNOWN_KEY", {
    path: parsed.place([...path, key]),
    at: "key",
    message: `there is no ${JSON.stringify(key)} here`,
    remedy: parsed.hints?.[key] ?? (meant ? `did you mean ${meant}?` : choices),
  });
}

/** Returns true when a missing key stands there under another name, which has its own finding. */
function isWrittenOtherwise(path: readonly Key[], parsed: Parsed): boolean {
  const around = valueAt(parsed.input, path.slice(0, -1));
  if (typeof around !== "object" || around === null) return false;
  const known = keysAt(factsOf(parsed.schema), path.slice(0, -1));
  const meant = (key: string) => {
    const hint = parsed.hints?.[key];
    return hint === undefined ? nearest(key, known) : /^it is called (\S+)$/.exec(hint)?.[1];
  };
  return Object.keys(around).some((key) => !known.includes(key) && meant(key) === path.at(-1));
}

function missing(path: readonly Key[]): { readonly key: string; readonly remedy: string } {
  const key = String(path.at(-1));
  return { key, remedy: key === "links" ? "add it; `links: []` for none" : `add ${key}` };
}

/** The value at a path, as far as it leads. */
export function valueAt(value: unknown, path: readonly Key[]): unknown {
  return path.reduce<unknown>((at, part) => {
    if (Array.isArray(at)) return at[Number(part)];
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    return Object.entries(at).find(([key]) => key === String(part))?.[1];
  }, value);
}

function typeName(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "map" : typeof value;
}

const SHOULD_BE: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  record: "a map",
  object: "a map",
};

const IS: Readonly<Record<string, string>> = {
  nothing: "empty",
  list: "a list",
  map: "a map",
  string: "a text",
  number: "a number",
  boolean: "true or false",
};

function wrongType(expected: string, value: unknown): { readonly message: string; readonly remedy: string } {
  const whole = expected === "int" && typeof value === "number";
  const should = SHOULD_BE[expected] ?? expected;
  const is = whole ? "a fraction" : (IS[typeName(value)] ?? typeName(value));
  return { message: `must be ${should}, not ${is}`, remedy: typeRemedy(expected, value) };
}

function typeRemedy(expected: string, value: unknown): string {
  if (expected === "string" && ["number", "boolean"].includes(typeof value)) return "put it in quotes";
  if (expected === "boolean") return "write true or false (yes, no, on and off are texts in YAML 1.2)";
  const amount = typeof value === "string" ? /^\s*(\d+(?:\.\d+)?)\s*(s|sec|secs|seconds)?\s*$/.exec(value) : null;
  if (["number", "int"].includes(expected) && amount) return `write ${amount[1]} without quotes or unit`;
  const duration = typeof value === "string" && /^\s*\d+(\.\d+)?\s*(ms|m|min|h|d)/.test(value);
  if (["number", "int"].includes(expected)) return duration ? "write a number of seconds" : "write a number";
  if (expected === "array") return typeof value === "string" ? "write it as a list: [name]" : "write it as a list";
  return expected === "string" ? "write a text" : "write `key: value` lines beneath it";
}

function choiceRemedy(allowed: string, value: unknown): string {
  if (/\ba text\b/.test(allowed) && ["number", "boolean"].includes(typeof value)) return "put it in quotes";
  return "write it as one of these";
}

/** Messages of schemas as they are, without the words of the library. */
const plain = (issue: Issue): string =>
  issue.message
    .replace(/^Invalid (?!input|option)/, "is no valid ")
    .replace(/^Invalid (input|option): expected /, "must be ")
    .replace(/^(Too (?:small|big)): expected \w+ to (be|have) /, (_, _size, verb) =>
      verb === "be" ? "must be " : "must have ",
    )
    .replace(/^Invalid input$/, "is none of what is allowed here");
