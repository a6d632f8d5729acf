import type { Json } from "./document.ts";

/** `JSON` with the proposal of raw numbers (V8 from 11.4 on); absent members mean that this runtime lacks it. */
interface RawCapableJson {
  parse(text: string, reviver: (name: string, value: Json, context?: { readonly source?: string }) => Json): Json;
  readonly rawJSON?: (text: string) => { readonly rawJSON: string };
  readonly isRawJSON?: (value: unknown) => boolean;
}

const native: RawCapableJson = JSON;

/** Whether this runtime can carry numbers as text. */
export const keepsRawNumbers = (): boolean => native.rawJSON !== undefined;

/** Whether a value stands for a number that no double holds; `JSON.stringify` writes it as it was read. */
export const isRawNumber = (value: unknown): value is { readonly rawJSON: string } =>
  typeof value === "object" &&
  value !== null &&
  Object.getPrototypeOf(value) === null &&
  native.isRawJSON?.(value) === true;

/** Parses like `JSON.parse`, but numbers that a double would change become raw numbers. Throws on malformed text. */
export const parseKeepingNumbers = (text: string): Json =>
  native.parse(text, (_name, value, context) =>
    typeof value === "number" && context?.source !== undefined && !isExact(context.source)
      ? (native.rawJSON?.(context.source) ?? value)
      : value,
  );

/** Whether the number written here is the very number that `JSON.stringify` writes after `JSON.parse`. */
export function isExact(text: string): boolean {
  const value = Number(text);
  if (!Number.isFinite(value)) return false;
  if (Number.isInteger(value) && Math.abs(value) < 1e15 && text.length < 16 && value !== 0) return true;
  return decimal(text) === decimal(String(value));
}

/** One spelling for equal decimal numbers: sign, digits without outer zeros, power of ten. */
function decimal(text: string): string {
  const [, sign = "", whole = "", fraction = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return "0";
  const kept = digits.replace(/0+$/, "");
  return `${sign}${kept}e${Number(power) - fraction.length + digits.length - kept.length}`;
}

/** Numbers of fewer characters have at most 15 significant digits, and every double keeps those. */
const LONG = 16;
const EXPONENT = /[eE][+-]?\d+/y;

/**
 * Whether the text may hold a number that a double changes into another finite one: many digits that are not exact, or
 * a negative exponent of three digits. Looks at every 16th character, as a long run of digits covers one of them.
 */
export function mayRound(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let start = at;
    while (isDigit(text.charCodeAt(start - 1))) start--;
    while (isDigit(text.charCodeAt(at + 1))) at++;
    if (at + 1 - start >= LONG && !isExact(numberAround(text, start, at + 1))) return true;
  }
  return hasTinyNumber(text);
}

/** Whether something looks like a number with an exponent of -100 or below. UUIDs nearly do. */
function hasTinyNumber(text: string): boolean {
  for (let at = text.indexOf("-"); at >= 0; at = text.indexOf("-", at + 1)) {
    const before = text.charCodeAt(at - 1);
    if (before !== 101 && before !== 69) continue;
    let start = at - 1;
    while (isDigit(text.charCodeAt(start - 1))) start--;
    if (text[start - 1] === "-") start--;
    TINY.lastIndex = start;
    if (TINY.test(text) && /^(?:[:,[\s]|$)/.test(text.slice(Math.max(0, start - 1), start))) return true;
  }
  return false;
}

const TINY = /-?\d[\d.]*[eE]-\d{3,}(?=[\s,\]}]|$)/y;

const isDigit = (code: number): boolean => (code >= 48 && code <= 57) || code === 46;

/** The digits with the sign before and the exponent after them. */
function numberAround(text: string, start: number, end: number): string {
  EXPONENT.lastIndex = end;
  const exponent = EXPONENT.exec(text)?.[0] ?? "";
  return text.slice(text[start - 1] === "-" ? start - 1 : start, end) + exponent;
}
