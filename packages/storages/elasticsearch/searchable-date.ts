import { readDate, writeDate } from "@vcon-server/vcon";

/** Writes a date so that Elasticsearch can index it; what it reads already, and what is no date, stays as it is. */
export function toSearchableDate<Value>(value: Value): Value | string {
  const read = typeof value === "string" ? readDate(value) : undefined;
  if (read === undefined || typeof value !== "string") return value;
  // Elasticsearch knows no leap second
  const isKnown = ["date", "zero-fraction"].includes(read.spelling) && !/:60(?:\.|Z|[+-])/.test(value);
  return isKnown ? value : (writeDate(read.ms) ?? value);
}
