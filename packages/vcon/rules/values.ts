import { dateFault, readDate } from "../date.ts";
import type { JsonObject } from "../shape.ts";
import { writeUnixTime } from "../upgrade.ts";
import { isTextualUuid } from "../uuid.ts";
import { type RuleCode, ruleOf } from "./catalogue.ts";
import type { Report } from "./report.ts";

/** Checks of group C, each silent about what is missing. */

const MEDIATYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\s*(?:;|$)/;

/** Where a value stands: the object and its pointer, and who is told about it. */
export interface Place {
  readonly report: Report;
  readonly object: JsonObject;
  readonly at: string;
}

/** The member as a string; anything else but null is reported. */
export function stringMember(place: Place, name: string, code: RuleCode): string | undefined {
  const value = place.object[name];
  if (typeof value === "string") return value;
  // a wrong type breaks the draft even where the rule of the member only recommends a form
  if (value !== undefined && value !== null)
    place.report.add(ruleOf(code).level === "MUST" ? code : "type.string", `${place.at}/${name}`, mustBeText(name));
  return undefined;
}

/** Reads a member that must be usable: a document with anything but a string in it is refused. */
export function neededString({ report, object, at }: Place, name: string, code: RuleCode): string | undefined {
  const value = object[name];
  if (typeof value === "string") return value;
  if (value !== undefined && value !== null) report.refuse(code, `${at}/${name}`, mustBeText(name));
  return undefined;
}

const mustBeText = (name: string): string => `${name} must be a string`;

interface DateRule {
  readonly pointer: string;
  readonly code: RuleCode;
  /** Whether a document is refused whose date nobody can read; an empty text counts as none. */
  readonly needed?: boolean;
}

/** A date under its own rule and under the rule of how dates are written. */
export function checkDate(report: Report, value: unknown, { pointer, code, needed = false }: DateRule): void {
  if (typeof value !== "string") {
    const isUnixTime = typeof value === "number" || writeUnixTime(value) !== undefined;
    report
      .as({ fatal: needed && !isUnixTime, fixable: isUnixTime })
      .add(code, pointer, "must be a date-time, written as a string");
    return;
  }
  const fault = dateFault(value);
  if (fault === undefined) return;
  if (fault === "zero-fraction") {
    report.add("type.date-zero-fraction", pointer, "a fraction of a second that is zero must be left out");
    return;
  }
  const fixable = readDate(value) !== undefined || writeUnixTime(value) !== undefined;
  const fatal = needed && !fixable && value !== "";
  report.as({ fatal, fixable }).add(code, pointer, "is not a date-time with an offset, such as 2026-09-14T08:30:00Z");
  if (fault === "unreal") report.add("type.date-real", pointer, "there is no such day or time");
  else report.as({ fixable }).add("type.date-syntax", pointer, "is not written as RFC 3339 wants it");
}

export const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** The array an index points into, and the rule that it does. */
export interface Range {
  readonly length: number;
  readonly code: RuleCode;
}

/** An index into one of the arrays: its type, then its range. The document can be understood without what it points at. */
export function checkIndex(
  report: Report,
  value: unknown,
  { pointer, length, code }: Range & { readonly pointer: string },
): void {
  if (!isIndex(value)) {
    report.add("type.uint", pointer, "must be an index: a whole number from 0 up");
  } else if (value >= length) {
    report.add(code, pointer, outOfRange(value, length));
  }
}

export const outOfRange = (index: number, length: number): string =>
  `index ${index} is out of range: there ${length === 1 ? "is 1" : `are ${length}`}`;

/** The media type has the form type/subtype. */
export function checkMediatype(place: Place): void {
  const mediatype = stringMember(place, "mediatype", "type.string");
  if (mediatype !== undefined && !MEDIATYPE.test(mediatype)) {
    place.report.add("type.mediatype", `${place.at}/mediatype`, "must be a media type: type/subtype");
  }
}

export const isMediatype = (text: string): boolean => MEDIATYPE.test(text);

export function checkOtherUuid(report: Report, value: unknown, pointer: string): void {
  if (typeof value !== "string" || !isTextualUuid(value))
    report.add("type.uuid-other", pointer, "must be a UUID with hyphens");
}
