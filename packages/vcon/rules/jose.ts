import { isAbsent, isObject, type JsonObject } from "../shape.ts";

/** The elements of an array that are objects, with their places. */
export const objectsIn = (value: unknown): (readonly [number, JsonObject])[] =>
  Array.isArray(value)
    ? value.flatMap((entry: unknown, index) => (isObject(entry) ? [[index, entry] as const] : []))
    : [];

export const objectOr = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** Names that stand in more than one of the headers; JOSE forbids that, the draft's examples do it. */
export function repeated(...headers: readonly JsonObject[]): string[] {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const name of headers.flatMap((header) => Object.keys(header))) (seen.has(name) ? again : seen).add(name);
  return [...again];
}

export const lacks = (object: JsonObject, name: string): boolean => isAbsent(object[name]);
