import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import type { Path, Report } from "./findings.ts";
import type { Resolved } from "./interpolate.ts";
import { type Parsed, reportIssues, valueAt } from "./issues.ts";

/** What every parse needs to know about the document around it. */
export interface Surroundings {
  readonly report: Report;
  readonly from: Resolved["from"];
}

/** A parsed part of the document. */
export interface ParsedEntry<T> {
  /** What was understood: everything, or what is left without the broken keys; `undefined` when nothing is. */
  readonly entry: T | undefined;
  /** Top keys that were reported; what follows from them alone is not worth another finding. */
  readonly broken: ReadonlySet<string>;
}

/** Parses a part of the document, reports its issues, and keeps what can be understood all the same. */
export function parseEntry<S extends z.ZodType>(
  schema: S,
  parsed: Omit<Parsed, "schema">,
  around: Surroundings,
): ParsedEntry<z.output<S>> {
  const { input, result } = parseMeant(schema, parsed.input);
  if (result.success) return { entry: result.data, broken: new Set() };
  // a text that lacks a variable has its finding; that it is no URL either is not worth another
  const own = result.error.issues.filter(
    ({ path }) => !around.from.get(JSON.stringify(parsed.place(toKeys(path))))?.lacking,
  );
  reportIssues(own, { ...parsed, input, schema }, around.report);
  const broken = new Set(result.error.issues.flatMap(({ code, path, ...rest }) => topKeys(code, path, rest)));
  return { entry: isMap(input) ? schema.safeParse(without(input, broken)).data : undefined, broken };
}

/** Checks that look at several options come after those of each: what they object to shows in the second parse. */
const ROUNDS = 3;

/**
 * Values of variables and values in quotes are texts. If the schema asks for something else, the text is
 * read as YAML would read it: `"5432"` is a number where a number belongs, while a password of digits stays a text.
 * An option with nothing behind it is one that is not set, where the schema does not know what nothing means.
 */
function parseMeant<S extends z.ZodType>(schema: S, input: unknown) {
  let meant = { input, result: schema.safeParse(input) };
  for (let round = 0; round < ROUNDS && !meant.result.success; round += 1) {
    const paths = pathsOfAll(meant.result.error.issues);
    const tried = paths.reduce<unknown>(asMeant, meant.input);
    const result = schema.safeParse(tried);
    // what it did not help is told about as it was written
    const left = new Set(unmet(result.error?.issues ?? [], tried));
    const helped = paths.filter((path) => !left.has(JSON.stringify(path)));
    const next = helped.reduce<unknown>(asMeant, meant.input);
    if (isDeepStrictEqual(next, meant.input)) break;
    meant = { input: next, result: schema.safeParse(next) };
  }
  return meant;
}

/** Bounds and other rules are about the value that was meant. */
const ABOUT_THE_VALUE: ReadonlySet<string> = new Set(["too_small", "too_big", "not_multiple_of"]);

const unmet = (issues: readonly z.core.$ZodIssue[], tried: unknown): readonly string[] =>
  pathsOfAll(
    issues.filter(({ code, path }) => !ABOUT_THE_VALUE.has(code) || typeof valueAt(tried, toKeys(path)) === "string"),
  ).map((path) => JSON.stringify(path));

/** The longest first, so that what is taken away is not looked for afterwards. */
const pathsOfAll = (issues: readonly z.core.$ZodIssue[]): readonly Key[][] =>
  [...new Map(issues.flatMap(pathsOf).map((path) => [JSON.stringify(path), path])).values()].toSorted(
    (one, other) => other.length - one.length,
  );

/** The value with what stands at the path read as it was meant. */
function asMeant(value: unknown, path: readonly Key[]): unknown {
  const at = valueAt(value, path);
  const key = path.at(-1);
  if ((at === null || at === "") && typeof key === "string") {
    const around = valueAt(value, path.slice(0, -1));
    return isMap(around) ? withValue(value, path.slice(0, -1), without(around, new Set([key]))) : value;
  }
  return typeof at === "string" ? withValue(value, path, asScalar(at)) : value;
}

type Key = string | number;

const toKeys = (path: readonly PropertyKey[]): Key[] =>
  path.map((part) => (typeof part === "number" ? part : String(part)));

function pathsOf(issue: z.core.$ZodIssue): Key[][] {
  const own = toKeys(issue.path);
  if (issue.code !== "invalid_union") return [own];
  return [own, ...issue.errors.flat().flatMap((inner) => pathsOf(inner).map((path) => [...own, ...path]))];
}

function asScalar(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text) ? Number(text) : value;
}

/** A copy of `value` with another value at `path`. */
export function withValue(value: unknown, path: readonly Key[], replacement: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return replacement;
  if (Array.isArray(value))
    return value.map((item, index) => (index === part ? withValue(item, rest, replacement) : item));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === String(part) ? withValue(item, rest, replacement) : item]),
  );
}

function topKeys(code: string, path: readonly PropertyKey[], rest: object): string[] {
  const [top] = path;
  if (top !== undefined) return [String(top)];
  return code === "unrecognized_keys" && "keys" in rest && Array.isArray(rest.keys) ? rest.keys.map(String) : [];
}

/** Whether a value is a map of the document. */
export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const without = (map: Readonly<Record<string, unknown>>, keys: ReadonlySet<string>) =>
  Object.fromEntries(Object.entries(map).filter(([key]) => !keys.has(key)));

/** The place of a path below `base`. */
export const beneath =
  (base: Path) =>
  (path: readonly Key[]): Path => [...base, ...path];
