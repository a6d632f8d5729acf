import { sessionIdOf } from "../session-id.ts";
import { entriesOf, isAbsent, isObject, type JsonObject } from "../shape.ts";
import type { Checked } from "./document-under-check.ts";
import type { Report } from "./report.ts";
import { checkDate, checkIndex, checkOtherUuid } from "./values.ts";

/** Rules about session ids and about what parties did during a dialog. */

const EVENTS = new Set(["join", "drop", "hold", "unhold", "mute", "unmute", "keydown", "keyup"]);

export function checkSessionId(report: Report, dialog: JsonObject, at: string): void {
  const { session_id, parties } = dialog;
  const pointer = `${at}/session_id`;
  if (session_id === null) return;
  if (!Array.isArray(session_id)) {
    checkEnds(report, session_id, pointer);
    return;
  }
  const aligned = (ids: readonly unknown[], other: unknown): boolean =>
    Array.isArray(other)
      ? ids.length === other.length && ids.every((id, index) => !Array.isArray(id) || aligned(id, other[index]))
      : ids.length === 1;
  if (!aligned(session_id, parties))
    report.add("dialog.session_id-align", pointer, "must have one entry for each entry of parties");
  for (const [index, id] of entriesOf(session_id)) {
    if (!Array.isArray(id)) checkEnds(report, id, `${pointer}/${index}`);
    else for (const [inner, end] of entriesOf(id)) checkEnds(report, end, `${pointer}/${index}/${inner}`);
  }
}

function checkEnds(report: Report, value: unknown, at: string): void {
  if (!isObject(value)) {
    const fixable = typeof value === "string" && sessionIdOf(value) !== undefined;
    report.as({ fixable }).add("dialog.session_id-shape", at, "must be an object with local and remote");
    return;
  }
  if (isAbsent(value)) return;
  for (const end of ["local", "remote"]) {
    if (value[end] === undefined)
      report.add("dialog.session_id-nil", `${at}/${end}`, "a missing end should be the nil UUID");
    else checkOtherUuid(report, value[end], `${at}/${end}`);
  }
}

export function checkPartyHistory(checked: Checked, history: unknown, at: string): void {
  if (history !== null && !Array.isArray(history)) {
    checked.report.add("dialog.party_history-shape", at, "must be an array of objects");
  }
  for (const [index, entry] of entriesOf(history)) checkEvent(checked, entry, `${at}/${index}`);
}

function checkEvent({ report, parties }: Checked, entry: unknown, at: string): void {
  if (!isObject(entry)) {
    report.add("dialog.party_history-shape", at, "must be an object");
    return;
  }
  const { party, time, event, button } = entry;
  if (party === undefined) report.add("dialog.party_history-fields", `${at}/party`, "party is missing");
  else checkIndex(report, party, { pointer: `${at}/party`, length: parties.length, code: "index.party-range" });
  checkDate(report, time, { pointer: `${at}/time`, code: "dialog.party_history-fields" });
  if (typeof event !== "string" || !EVENTS.has(event)) {
    report.add("dialog.party_history-event", `${at}/event`, `must be one of ${[...EVENTS].join(", ")}`);
  } else if (event.startsWith("key") && typeof button !== "string") {
    report.add("dialog.party_history-button", `${at}/button`, "a key event must say which button");
  }
}
