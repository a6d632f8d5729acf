import { readDate, writeDate } from "../date.ts";
import type { JsonObject } from "../shape.ts";
import type { Step } from "./steps.ts";

/** The object with these members written as the draft wants dates; what cannot be read stays. */
export function withDates(
  object: JsonObject,
  names: readonly string[],
  { at, step }: { readonly at: string; readonly step: Step },
): JsonObject {
  let result = object;
  for (const name of names) {
    const text = object[name];
    const read = typeof text === "string" ? readDate(text) : undefined;
    if (!read || read.spelling === "date") continue;
    const written = writeDate(read.ms);
    if (written === undefined) continue;
    const assumed = read.spelling === "no-offset" ? "; it had no offset and UTC was assumed" : "";
    step("date", `${at}/${name}`, `written as RFC 3339, was ${JSON.stringify(text)}${assumed}`);
    result = { ...result, [name]: written };
  }
  return result;
}
