import { entriesOf, isAbsent, type JsonObject } from "../shape.ts";
import type { TypedPlace } from "./dialog.ts";
import type { Checked } from "./document-under-check.ts";
import { checkIndex, isIndex } from "./values.ts";

/** Rules about dialogs that point at other dialogs: recording sets and transfers. */

export function checkRecordings(checked: Checked, dialog: JsonObject, { at, type }: TypedPlace): void {
  const { report } = checked;
  const { recordings, recording_set } = dialog;
  if (type === "recording-set" && isAbsent(recordings)) {
    report.add("dialog.recordings-missing", `${at}/recordings`, "a recording-set must list its recordings");
  }
  if (Array.isArray(recordings)) {
    for (const [position, index] of entriesOf(recordings))
      checkMemberOfSet(checked, index, `${at}/recordings/${position}`);
  } else if (!isAbsent(recordings)) {
    report.add("type.uint", `${at}/recordings`, "must be an array of dialog indices");
  }
  if (isAbsent(recording_set)) return;
  checkIndex(report, recording_set, {
    pointer: `${at}/recording_set`,
    length: checked.dialog.length,
    code: "index.dialog-range",
  });
  const set = isIndex(recording_set) ? checked.dialog[recording_set] : undefined;
  if (!set) return;
  if (set.type !== "recording-set") {
    report.add("index.recordings-type", `${at}/recording_set`, "must point at a dialog of type recording-set");
  } else if (Array.isArray(set.recordings) && !checked.recordings(set).has(dialog)) {
    report.add("index.recording-set-mutual", `${at}/recording_set`, "the recording-set does not list this recording");
  }
}

function checkMemberOfSet({ report, dialog }: Checked, index: unknown, pointer: string): void {
  checkIndex(report, index, { pointer, length: dialog.length, code: "index.dialog-range" });
  const member = isIndex(index) ? dialog[index] : undefined;
  if (!member) return;
  if (member.type !== "recording")
    report.add("index.recordings-type", pointer, "must point at a dialog of type recording");
  else if (member.recording_set === undefined) {
    report.add("dialog.recording_set-missing", pointer, "the recording should point back with recording_set");
  }
}

const WANTED = ["transferee", "transferor", "original", "target_dialog"];
const PARTIES = ["transferee", "transferor", "transfer_target"];
const DIALOGS = ["original", "consultation", "target_dialog"];
const TALKS = ["recording", "recording-set", "text"];

export function checkTransfer(checked: Checked, dialog: JsonObject, { at, type }: TypedPlace): void {
  const { report } = checked;
  if (type === "transfer") {
    const missing = WANTED.filter((name) => isAbsent(dialog[name]));
    if (missing.length > 0) report.add("dialog.transfer-missing", at, `a transfer should have ${missing.join(", ")}`);
  }
  for (const name of [...PARTIES, ...DIALOGS]) {
    const value = dialog[name];
    if (isAbsent(value)) continue;
    const isParty = PARTIES.includes(name);
    const into = isParty
      ? ({ length: checked.parties.length, code: "index.party-range" } as const)
      : ({ length: checked.dialog.length, code: "index.dialog-range" } as const);
    if (Array.isArray(value)) {
      report.as({ fixable: true }).add("dialog.transfer-shape", `${at}/${name}`, "must be a single index");
      for (const [position, index] of entriesOf(value))
        checkIndex(report, index, { pointer: `${at}/${name}/${position}`, ...into });
    } else if (!isIndex(value)) {
      report.add("dialog.transfer-shape", `${at}/${name}`, "must be an index");
    } else {
      checkIndex(report, value, { pointer: `${at}/${name}`, ...into });
      if (!isParty) checkTarget(checked, name, { index: value, pointer: `${at}/${name}` });
    }
  }
}

function checkTarget(
  checked: Checked,
  name: string,
  { index, pointer }: { readonly index: number; readonly pointer: string },
): void {
  const type = checked.dialog[index]?.type;
  if (typeof type !== "string") return;
  const allowed = name === "original" ? TALKS : [...TALKS, "incomplete"];
  if (!allowed.includes(type))
    checked.report.add("dialog.transfer-target-type", pointer, `${name} must not point at a dialog of type ${type}`);
}
