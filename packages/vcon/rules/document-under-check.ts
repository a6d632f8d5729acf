import { isAbsent, isObject, type JsonObject } from "../shape.ts";
import type { Report } from "./report.ts";

/** A document under check with what many rules ask for. */
export interface Checked {
  readonly vcon: JsonObject;
  readonly report: Report;
  /** Elements of each array; empty when the array is missing or none. Elements that are no objects are `undefined`. */
  readonly parties: readonly (JsonObject | undefined)[];
  readonly dialog: readonly (JsonObject | undefined)[];
  readonly analysis: readonly (JsonObject | undefined)[];
  readonly attachments: readonly (JsonObject | undefined)[];
  /** Content may be missing where something was redacted. */
  readonly redacted: boolean;
  /** Whether JSON text inside bodies is parsed, too. */
  readonly bodies: boolean;
}

export function checked(vcon: JsonObject, report: Report, bodies: boolean): Checked {
  return {
    vcon,
    report,
    parties: elements(vcon.parties),
    dialog: elements(vcon.dialog),
    analysis: elements(vcon.analysis),
    attachments: elements(vcon.attachments),
    redacted: !isAbsent(vcon.redacted),
    bodies,
  };
}

const elements = (value: unknown): readonly (JsonObject | undefined)[] =>
  Array.isArray(value) ? value.map((element: unknown) => (isObject(element) ? element : undefined)) : [];
