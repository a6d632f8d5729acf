import { isRawNumber } from "./json-number.ts";

/** An object of JSON, with nothing known about its members. */
export type JsonObject = { readonly [member: string]: unknown };

/** Whether the value is a JSON object; raw numbers and arrays are not. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);

/** The member when it is the object's own; never something inherited such as `constructor`. */
export const own = (object: JsonObject, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;

/** Whether a member means nothing: the draft lets null, `{}` and `[]` stand for an absent member. */
export function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** Positions and elements of an array; nothing for anything else. */
export const entriesOf = (value: unknown): Iterable<[number, unknown]> => (Array.isArray(value) ? value.entries() : []);

/** The same object with one member set, in its place; safe for every name, `__proto__` included. */
export const withMember = <T extends JsonObject>(object: T, name: keyof T & string, value: T[typeof name]): T => ({
  ...object,
  [name]: value,
});

/** The same object without one member. */
export const without = (object: JsonObject, name: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([member]) => member !== name));

/** Whether two JSON values are equal; members may stand in any order. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, at) => deepEqual(x, b[at]));
  }
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && deepEqual(Reflect.get(a, name), Reflect.get(b, name)))
  );
}

/** JSON text in which the members of objects stand in one order, so that equal values have equal texts. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "undefined";
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalText(value[name])}`);
  return `{${members.join()}}`;
}
