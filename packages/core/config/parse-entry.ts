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
  const { input, result } = parseTexts(schema, parsed, around);
  if (result.success) return { entry: result.data, broken: new Set() };
  // a text that lacks a variable has its finding; that it is no URL either is not worth another
  const own = result.error.issues.filter(
    ({ path }) => !around.from.get(JSON.stringify(parsed.place(toKeys(path))))?.lacking,
  );
  reportIssues(own, { ...parsed, input, schema }, around.report);
  const broken = new Set(result.error.issues.flatMap(({ code, path, ...rest }) => topKeys(code, path, rest)));
  return { entry: isMap(input) ? schema.safeParse(without(input, broken)).data : undefined, broken };
}

/**
 * What a variable gives is a text. Where the schema asks for something else, the text is read as YAML would read it:
 * `${PORT}` is a number where a number belongs, while a password of digits stays a text.
 */
function parseTexts<S extends z.ZodType>(schema: S, { input, place }: Omit<Parsed, "schema">, { from }: Surroundings) {
  const first = schema.safeParse(input);
  if (first.success) return { input, result: first };
  const readable = first.error.issues.flatMap(pathsOf).filter((path) => from.has(JSON.stringify(place(path))));
  if (readable.length === 0) return { input, result: first };
  const read = readable.reduce((value, path) => withValue(value, path, asScalar(valueAt(value, path))), input);
  return { input: read, result: schema.safeParse(read) };
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
  if (value === "true" || value === "false") return value === "true";
  return /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(value) ? Number(value) : value;
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
