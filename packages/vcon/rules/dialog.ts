import { readIndex, readNumber } from "../lax-number.ts";
import { entriesOf, isAbsent, type JsonObject } from "../shape.ts";
import { checkContent } from "./content.ts";
import { checkRecordings, checkTransfer } from "./dialog-links.ts";
import { DIALOG_TYPES } from "./dialog-table.ts";
import type { Checked } from "./document-under-check.ts";
import type { Report } from "./report.ts";
import { checkPartyHistory, checkSessionId } from "./session.ts";
import { checkDate, checkIndex, isIndex, isMediatype, outOfRange, stringMember } from "./values.ts";

/** Rules of group F. */

const DISPOSITIONS = new Set(["no-answer", "congestion", "failed", "busy", "hung-up", "voicemail-no-message"]);
const MEDIATYPES = new Set(
  "text/plain audio/x-wav audio/x-mp3 audio/x-mp4 audio/ogg video/x-mp4 video/ogg multipart/mixed".split(" "),
);
const TALKS = new Set(["recording", "recording-set", "text"]);
/** Type names of the field that mean a recording. */
const MEDIA_NAMES = new Set(["video", "audio"]);

export function checkDialog(checked: Checked, dialog: JsonObject, at: string): void {
  const { report } = checked;
  const place = { report, object: dialog, at };
  const type = checkType(report, dialog, at);
  checkTime(report, dialog, { at, type });
  checkParticipants(checked, dialog, { at, type });
  checkMedia(checked, dialog, { at, type });
  checkDisposition(report, dialog, { at, type });
  stringMember(place, "application", "dialog.application");
  stringMember(place, "message_id", "dialog.message_id");
  if (dialog.session_id !== undefined) checkSessionId(report, dialog, at);
  if (dialog.party_history !== undefined && type !== "transfer")
    checkPartyHistory(checked, dialog.party_history, `${at}/party_history`);
  checkRecordings(checked, dialog, { at, type });
  checkTransfer(checked, dialog, { at, type });
}

/** Where a dialog stands and what type it has. */
export interface TypedPlace {
  readonly at: string;
  readonly type: string | undefined;
}

function checkType(report: Report, dialog: JsonObject, at: string): string | undefined {
  const type = stringMember({ report, object: dialog, at }, "type", "dialog.type-missing");
  if (type === undefined) {
    if (isAbsent(dialog.type)) report.add("dialog.type-missing", `${at}/type`, "type is missing");
    return undefined;
  }
  const forbidden = DIALOG_TYPES.get(type);
  if (!forbidden) {
    const known = [...DIALOG_TYPES.keys()].join(", ");
    report
      .as({ fixable: MEDIA_NAMES.has(type) })
      .add("dialog.type-value", `${at}/type`, `type must be one of ${known}`);
    return type;
  }
  for (const name in dialog) {
    const code = forbidden.get(name);
    if (code && !isAbsent(dialog[name]))
      report.add(code, `${at}/${name}`, `${name} must not stand on a dialog of type ${type}`);
  }
  return type;
}

function checkTime(report: Report, dialog: JsonObject, { at, type }: TypedPlace): void {
  const { start, duration } = dialog;
  if (start === undefined || start === null) {
    if (type !== "transfer")
      report.add("dialog.start-missing", `${at}/start`, "start should be given unless it is unknown");
  } else if (typeof start !== "string") {
    report.refuse("dialog.start-date", `${at}/start`, "start must be a date-time, written as a string");
  } else checkDate(report, start, { pointer: `${at}/start`, code: "dialog.start-date" });
  if (duration === undefined || duration === null || (typeof duration === "number" && duration >= 0)) return;
  const numeric = readNumber(duration) !== undefined;
  report
    .as({
      fatal: !numeric,
      fixable: numeric,
    })
    .add("dialog.duration", `${at}/duration`, "duration must be a number of seconds, not negative");
}

function checkParticipants(checked: Checked, dialog: JsonObject, { at, type }: TypedPlace): void {
  const { report } = checked;
  const parties = { length: checked.parties.length, code: "index.party-range" } as const;
  const { originator } = dialog;
  if (isAbsent(dialog.parties)) {
    if (type !== undefined && TALKS.has(type))
      report.add("dialog.parties-missing", `${at}/parties`, "parties should be given");
  } else checkPartyIndices(report, dialog.parties, { at: `${at}/parties`, parties: checked.parties.length });
  if (originator === undefined || originator === null) return;
  checkIndex(report, originator, { pointer: `${at}/originator`, ...parties });
  if (isIndex(originator) && firstOf(dialog.parties) === originator) {
    report.add("dialog.originator-redundant", `${at}/originator`, "is the first party anyway and can be left out");
  }
}

const firstOf = (parties: unknown): unknown => (Array.isArray(parties) ? firstOf(parties[0]) : parties);

function checkPartyIndices(
  report: Report,
  value: unknown,
  { at, parties }: { readonly at: string; readonly parties: number },
): void {
  const single = (index: unknown, pointer: string): void => {
    const read = readIndex(index);
    if (!isIndex(index))
      report
        .as({ fatal: read === undefined, fixable: read !== undefined })
        .add("dialog.parties-shape", pointer, "must be a party index");
    if (read !== undefined && read >= parties) report.refuse("index.party-range", pointer, outOfRange(read, parties));
  };
  if (!Array.isArray(value)) single(value, at);
  for (const [outer, entry] of entriesOf(value)) {
    if (Array.isArray(entry)) for (const [inner, index] of entriesOf(entry)) single(index, `${at}/${outer}/${inner}`);
    else if (entry !== null) single(entry, `${at}/${outer}`);
  }
}

function checkMedia(checked: Checked, dialog: JsonObject, { at, type }: TypedPlace): void {
  const { report } = checked;
  const place = { report, object: dialog, at };
  const { inline, external } = checkContent(checked, place, { strict: true });
  const { mimetype, mediatype } = dialog;
  if (mimetype !== undefined && mimetype !== null && !(typeof mimetype === "string" && isMediatype(mimetype))) {
    report.refuse("dialog.mimetype", `${at}/mimetype`, "must be a media type: type/subtype");
  }
  if (inline && isAbsent(mediatype)) {
    report
      .as({
        fixable: typeof mimetype === "string",
      })
      .add("dialog.mediatype-missing", `${at}/mediatype`, "must be given for inline content");
  }
  if (typeof mediatype === "string" && !MEDIATYPES.has(mediatype) && !MEDIATYPES.has(essence(mediatype))) {
    report.add("dialog.mediatype-list", `${at}/mediatype`, "is not among the media types the draft recommends");
  }
  const expected = type === "recording" || type === "text";
  if (expected && !inline && !external && isAbsent(dialog.body) && !checked.redacted) {
    report.add("dialog.content-missing", at, "there should be body and encoding, or url and content_hash");
  }
}

/** The media type without parameters. */
const essence = (mediatype: string): string => mediatype.replace(/;.*$/s, "").trim().toLowerCase();

function checkDisposition(report: Report, dialog: JsonObject, { at, type }: TypedPlace): void {
  const disposition = stringMember({ report, object: dialog, at }, "disposition", "dialog.disposition-value");
  if (disposition === undefined) {
    if (type === "incomplete")
      report.add("dialog.disposition-missing", `${at}/disposition`, "an incomplete dialog must have a disposition");
    return;
  }
  if (!DISPOSITIONS.has(disposition)) {
    report.add("dialog.disposition-value", `${at}/disposition`, `must be one of ${[...DISPOSITIONS].join(", ")}`);
  }
  if (type !== "incomplete")
    report.add("dialog.disposition-elsewhere", `${at}/disposition`, "should stand on incomplete dialogs only");
}
