import { isDay, isOffset, isTime, toMilliseconds } from "./calendar.ts";
import { readMailDate } from "./mail-date.ts";

/** What a text says as a point in time. */
export interface ReadDate {
  /** Milliseconds since 1970, UTC; a time without offset is taken as UTC. */
  readonly ms: number;
  /** `date`: as the draft wants it. The others can be understood, but are not. */
  readonly spelling: "date" | "zero-fraction" | "no-offset" | "loose";
}

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)([Tt ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?: ?(?:([Zz]|UTC|GMT)|([+-])(\d\d)(?::?(\d\d))?))?$/;
const DATE_ONLY = /^(\d{4})-(\d\d)-(\d\d)$/;

/** Reads a time written in RFC 3339, in its usual near misses, as a bare date or as in e-mail; `undefined` otherwise. */
export function readDate(text: string): ReadDate | undefined {
  const found = RFC3339.exec(text);
  if (found) return fromRfc3339(found);
  const day = DATE_ONLY.exec(text);
  if (day) {
    const [year = 0, month = 0, date = 0] = day.slice(1).map(Number);
    const ms = toMilliseconds({ year, month, day: date, hour: 0, minute: 0, second: 0 });
    return ms === undefined ? undefined : { ms, spelling: "no-offset" };
  }
  const mail = readMailDate(text);
  return mail && { ms: mail.ms, spelling: mail.hasOffset ? "loose" : "no-offset" };
}

/** Reads a date as text, or a Unix time as a number, as milliseconds since 1970; `undefined` otherwise. */
export function readTime(value: unknown): number | undefined {
  if (typeof value === "string") return readDate(value)?.ms;
  return typeof value === "number" && Number.isFinite(value) ? unixTime(value) : undefined;
}

const SYNTAX = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** What is wrong with a date by the draft: how it is written, what it says, or only a fraction that is zero. */
export type DateFault = "syntax" | "unreal" | "zero-fraction";

/** Checks a date without making one. */
export function dateFault(text: string): DateFault | undefined {
  if (!SYNTAX.test(text)) return "syntax";
  const [hour, minute, second] = [readDigits(text, 11, 2), readDigits(text, 14, 2), readDigits(text, 17, 2)];
  const offset = text.endsWith("Z") ? "+00:00" : text.slice(-6);
  const [hours, minutes] = [readDigits(offset, 1, 2), readDigits(offset, 4, 2)];
  const isReal =
    isDay(readDigits(text, 0, 4), readDigits(text, 5, 2), readDigits(text, 8, 2)) &&
    isTime(hour, minute, second) &&
    isOffset(hours, minutes);
  if (!isReal) return "unreal";
  const minuteInUtc = hour * 60 + minute - (hours * 60 + minutes) * (offset.startsWith("-") ? -1 : 1);
  // leap seconds are at the end of a day in UTC; elsewhere second 60 comes from rounding up
  if (second === 60 && (minuteInUtc + 1) % 1440 !== 0) return "unreal";
  return text[19] === "." && /^\.0+[Z+-]/.test(text.slice(19)) ? "zero-fraction" : undefined;
}

function readDigits(text: string, at: number, count: number): number {
  let value = 0;
  for (let end = at + count; at < end; at++) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
}

/**
 * Writes the time as the draft wants it: RFC 3339 in UTC, without a fraction that is zero. `undefined` outside of the
 * years 0 to 9999, which RFC 3339 cannot write.
 */
export function writeDate(ms: number): string | undefined {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return undefined;
  const text = date.toISOString();
  return /^\d/.test(text) ? text.replace(".000Z", "Z") : undefined;
}

/** A Unix time in seconds, or in milliseconds when it is too large for seconds, as milliseconds. */
export const unixTime = (value: number): number => (Math.abs(value) > 2e10 ? value : value * 1000);

function fromRfc3339(found: RegExpExecArray): ReadDate | undefined {
  const [text, year, month, day, separator, hour, minute, second, fraction, zulu, sign, hours, minutes] = found;
  const parts = { year, month, day, hour, minute, second };
  const local = toMilliseconds(mapNumbers(parts));
  if (local === undefined || !isOffset(Number(hours ?? 0), Number(minutes ?? 0))) return undefined;
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === "-" ? -60_000 : 60_000);
  // digits, not a number: 0.99999999999999999999 as a number is 1, which would be the next second
  const ms = local + Number((fraction ?? "").slice(0, 3).padEnd(3, "0")) - offset;
  if (zulu === undefined && sign === undefined) return { ms, spelling: "no-offset" };
  const fault = separator === "T" ? dateFault(text) : "syntax";
  return { ms, spelling: fault === undefined ? "date" : fault === "zero-fraction" ? fault : "loose" };
}

function mapNumbers<Name extends string>(parts: Readonly<Record<Name, string | undefined>>): Record<Name, number> {
  const entries = Object.entries<string | undefined>(parts).map(([name, digits]) => [name, Number(digits ?? 0)]);
  return Object.fromEntries(entries);
}
