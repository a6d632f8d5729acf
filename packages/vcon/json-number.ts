import type { Json } from "./document.ts";

/** `JSON` with the proposal of raw numbers (V8 from 11.4 on); absent members mean that this runtime lacks it. */
interface RawCapableJson {
  parse(text: string, reviver: (name: string, value: Json, context: { readonly source?: string }) => Json): Json;
  readonly rawJSON?: (text: string) => { readonly rawJSON: string };
  readonly isRawJSON?: (value: unknown) => boolean;
}

const native: RawCapableJson = JSON;

/** Whether this runtime can carry numbers as text. */
export const keepsRawNumbers = (): boolean => native.rawJSON !== undefined;

/** Whether a value stands for a number that no double holds; `JSON.stringify` writes it as it was read. */
export const isRawNumber = (value: unknown): value is { readonly rawJSON: string } =>
  typeof value === "object" && value !== null && native.isRawJSON?.(value) === true;

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
  const [, sign = "", whole = "", fraction = "", power = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return "0";
  const kept = digits.replace(/0+$/, "");
  return `${sign}${kept}e${Number(power) - fraction.length + digits.length - kept.length}`;
}
