import { isRawNumber } from "./json-number.ts";

const DECIMAL = /^\+?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/**
 * Reads a number that is not negative as the Python server reads it where it wants one: also from a text, from true and
 * false, and from a number with more digits than a double has. `undefined` for everything else.
 */
export function readNumber(value: unknown): number | undefined {
  if (typeof value === "boolean") return Number(value);
  const text = isRawNumber(value) ? value.rawJSON : typeof value === "string" ? value.trim() : undefined;
  const number = text !== undefined && DECIMAL.test(text) ? Number(text) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** Reads an index in the same way; `undefined` for what is no whole number. */
export function readIndex(value: unknown): number | undefined {
  const number = readNumber(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** The value with the index it stands for in each place of nested arrays; what is none stays. The same when all are. */
export function withIndices(value: unknown): unknown {
  if (typeof value === "number") return value;
  if (!Array.isArray(value)) return readIndex(value) ?? value;
  const before: readonly unknown[] = value;
  // nearly all are numbers already
  if (before.every((entry) => typeof entry === "number")) return value;
  const after = before.map(withIndices);
  return after.every((entry, at) => entry === before[at]) ? value : after;
}
