import { isOffset, toMilliseconds } from "./calendar.ts";

/** A date of an e-mail or an HTTP header. */
export interface MailDate {
  readonly ms: number;
  readonly hasOffset: boolean;
}

/** Longer than any date with its comments; what is longer is not looked at. */
const LONGEST = 200;

const WEEKDAY = "(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6} ?,? ?)?";
/** `Mon, 14 Sep 2026 08:30:00 +0200`; also the obsolete forms, such as `Monday, 14-Sep-26 08:30:00 GMT`. */
const RFC5322 = new RegExp(
  `^${WEEKDAY}(\\d{1,2})[ -]([a-z]{3})[ -](\\d{2,4}) (\\d{1,2}) ?: ?(\\d\\d)(?: ?: ?(\\d\\d))?(?: ?([+-]\\d\\d:?\\d\\d|[a-z]{1,3}))?$`,
  "i",
);
/** `Mon Sep 14 08:30:00 2026` */
const ASCTIME = new RegExp(`^${WEEKDAY}([a-z]{3}) (\\d{1,2}) (\\d\\d):(\\d\\d):(\\d\\d) (\\d{4})$`, "i");

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Hours from UTC of the zones that RFC 5322 names. Other names mean one zone here and another one there. */
const ZONES: Readonly<Record<string, number>> = {
  ...{ gmt: 0, ut: 0, utc: 0, z: 0, est: -5, edt: -4, cst: -6, cdt: -5, mst: -7, mdt: -6, pst: -8, pdt: -7 },
};

/** Reads the dates of RFC 5322 and of HTTP, comments and obsolete forms included; `undefined` otherwise. */
export function readMailDate(text: string): MailDate | undefined {
  if (text.length > LONGEST) return undefined;
  const plain = withoutComments(text)?.replace(/\s+/g, " ").trim();
  if (plain === undefined) return undefined;
  const mail = RFC5322.exec(plain);
  if (mail) {
    const [, day, month, year, hour, minute, second, zone] = mail;
    return readParts([year, month, day, hour, minute, second], zone);
  }
  const [, month, day, hour, minute, second, year] = ASCTIME.exec(plain) ?? [];
  return readParts([year, month, day, hour, minute, second], undefined);
}

function readParts(parts: readonly (string | undefined)[], zone: string | undefined): MailDate | undefined {
  const [year = "", month = "", day, hour, minute, second = 0] = parts;
  const local = toMilliseconds({
    year: fullYear(year),
    month: MONTHS.indexOf(month.toLowerCase()) + 1,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  });
  const offset = zone === undefined ? 0 : readZone(zone);
  if (local === undefined || offset === undefined) return undefined;
  return { ms: local - offset, hasOffset: zone !== undefined };
}

/** RFC 5322: two digits up to 49 are of this century, other short years count from 1900. */
function fullYear(digits: string): number {
  if (digits.length === 4) return Number(digits);
  return Number(digits) + (digits.length === 2 && Number(digits) < 50 ? 2000 : 1900);
}

/** Returns milliseconds from UTC. */
function readZone(zone: string): number | undefined {
  const [, sign, hours = "", minutes = ""] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  if (sign === undefined) {
    const hour = ZONES[zone.toLowerCase()];
    return hour === undefined ? undefined : hour * 3_600_000;
  }
  if (!isOffset(Number(hours), Number(minutes))) return undefined;
  return (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60_000 : 60_000);
}

/** The text with each comment, `(…)`, replaced by a space; `undefined` when one does not end. */
function withoutComments(text: string): string | undefined {
  let [depth, kept] = [0, ""];
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "(") depth++;
    else if (depth === 0) kept += char;
    else if (char === "\\") at++;
    else if (char === ")" && --depth === 0) kept += " ";
  }
  return depth === 0 ? kept : undefined;
}
