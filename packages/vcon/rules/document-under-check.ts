import { isAbsent, isObject, type JsonObject } from "../shape.ts";
import type { Report } from "./report.ts";
import { isIndex } from "./values.ts";

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
  /** The dialogs that a recording-set lists. */
  readonly recordings: (set: JsonObject) => ReadonlySet<JsonObject>;
  /** Whether JSON text inside bodies is parsed, too. */
  readonly bodies: boolean;
}

export function checked(vcon: JsonObject, report: Report, bodies: boolean): Checked {
  const dialog = elements(vcon.dialog);
  return {
    vcon,
    report,
    parties: elements(vcon.parties),
    dialog,
    analysis: elements(vcon.analysis),
    attachments: elements(vcon.attachments),
    redacted: !isAbsent(vcon.redacted),
    recordings: collectRecordings(dialog),
    bodies,
  };
}

const elements = (value: unknown): readonly (JsonObject | undefined)[] =>
  Array.isArray(value) ? value.map((element: unknown) => (isObject(element) ? element : undefined)) : [];

/** Each set is read once: every one of its recordings asks whether it is among them. */
function collectRecordings(dialog: Checked["dialog"]): Checked["recordings"] {
  const known = new Map<JsonObject, ReadonlySet<JsonObject>>();
  return (set) => {
    const found = known.get(set);
    if (found) return found;
    const indices: readonly unknown[] = Array.isArray(set.recordings) ? set.recordings : [];
    const members = new Set<JsonObject>();
    for (const index of indices) {
      const member = isIndex(index) ? dialog[index] : undefined;
      if (member) members.add(member);
    }
    known.set(set, members);
    return members;
  };
}
