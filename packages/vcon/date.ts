/** What a text says as a point in time. */
export interface ReadDate {
  /** Milliseconds since 1970, UTC; a time without offset is taken as UTC. */
  readonly ms: number;
  /** `date`: as the draft wants it. The others can be understood, but are not. */
  readonly spelling: "date" | "zero-fraction" | "no-offset" | "loose";
}

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)([Tt ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:([Zz])|([+-])(\d\d):?(\d\d)?)?$/;
const DATE_ONLY = /^(\d{4})-(\d\d)-(\d\d)$/;
const RFC2822 =
  /^(?:[A-Z][a-z]{2},\s*)?\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}\s+\d\d:\d\d(?::\d\d)?\s*(?:[+-]\d{4}|GMT|UTC?|Z)?$/;

/** Reads a time written in RFC 3339, in its usual near misses, as a bare date or as in e-mail; `undefined` otherwise. */
export function readDate(text: string): ReadDate | undefined {
  const found = RFC3339.exec(text);
  if (found) return fromRfc3339(found);
  const day = DATE_ONLY.exec(text);
  if (day) {
    const ms = instant([day[1], day[2], day[3], "0", "0", "0"]);
    return ms === undefined ? undefined : { ms, spelling: "no-offset" };
  }
  const ms = RFC2822.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : { ms, spelling: "loose" };
}

const SYNTAX = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** What is wrong with a date by the draft: how it is written, what it says, or only a fraction that is zero. */
export type DateFault = "syntax" | "unreal" | "zero-fraction";

/** Checks a date without making one. */
export function dateFault(text: string): DateFault | undefined {
  if (!SYNTAX.test(text)) return "syntax";
  const offset = text.endsWith("Z") ? "00:00" : text.slice(-5);
  const real =
    isDay(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)) &&
    isTime(digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)) &&
    isTime(digits(offset, 0, 2), digits(offset, 3, 2), 0);
  if (!real) return "unreal";
  return text[19] === "." && /^\.0+[Z+-]/.test(text.slice(19)) ? "zero-fraction" : undefined;
}

function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let end = at + count; at < end; at++) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDay(year: number, month: number, day: number): boolean {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day >= 1 && day <= (month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0));
}

/** A leap second is a time. */
const isTime = (hour: number, minute: number, second: number): boolean => hour <= 23 && minute <= 59 && second <= 60;

/** The time as the draft wants it written: RFC 3339 in UTC, without a fraction that is zero. */
export const writeDate = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");

/** A Unix time in seconds, or in milliseconds when it is too large for seconds, as milliseconds. */
export const unixTime = (value: number): number => (Math.abs(value) > 2e10 ? value : value * 1000);

function fromRfc3339(found: RegExpExecArray): ReadDate | undefined {
  const [, year, month, day, separator, hour, minute, second, fraction, zulu, sign, offsetHour, offsetMinute] = found;
  const local = instant([year, month, day, hour, minute, second ?? "0"]);
  if (local === undefined || !isTime(Number(offsetHour ?? 0), Number(offsetMinute ?? 0), 0)) return undefined;
  const offset = (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * (sign === "-" ? -1 : 1);
  const ms = local + Math.floor(Number(`0.${fraction ?? 0}`) * 1000) - offset * 60_000;
  if (zulu === undefined && sign === undefined) return { ms, spelling: "no-offset" };
  const exact = separator === "T" && second !== undefined && zulu !== "z" && !found[0].includes(",");
  const offsetExact = sign === undefined || found[0].at(-3) === ":";
  if (!exact || !offsetExact) return { ms, spelling: "loose" };
  return { ms, spelling: fraction !== undefined && /^0+$/.test(fraction) ? "zero-fraction" : "date" };
}

/** Milliseconds of the numbers, or `undefined` when there is no such day or time. A leap second counts as the next. */
function instant(parts: readonly (string | undefined)[]): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  if (!isDay(year, month, day) || !isTime(hour, minute, second)) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second, 0);
}
