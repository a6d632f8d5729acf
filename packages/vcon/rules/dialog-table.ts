import type { RuleCode } from "./catalogue.ts";

/** Table F1 of the draft: which member must not stand on which type of dialog. */

type Forbidden = ReadonlyMap<string, RuleCode>;

const each = (names: string, code: RuleCode): [string, RuleCode][] => names.split(" ").map((name) => [name, code]);

const TRANSFER = each(
  "transferee transferor transfer_target original consultation target_dialog",
  "dialog.transfer-elsewhere",
);
const CONTENT = each("body encoding url content_hash", "dialog.content-forbidden");
const MEDIA = each("mediatype filename", "dialog.mediatype-elsewhere");
const RECORDINGS = each("recordings", "dialog.recordings-elsewhere");
const RECORDING_SET = each("recording_set", "dialog.recording_set-elsewhere");
const MESSAGE_ID = each("message_id", "dialog.message_id");

/** The types a dialog can have, each with the members it must not have. */
export const DIALOG_TYPES: ReadonlyMap<string, Forbidden> = new Map<string, Forbidden>([
  ["recording", new Map([...RECORDINGS, ...TRANSFER])],
  ["recording-set", new Map([...RECORDING_SET, ...MEDIA, ...CONTENT, ...TRANSFER, ...MESSAGE_ID])],
  ["text", new Map([...RECORDINGS, ...RECORDING_SET, ...TRANSFER])],
  [
    "transfer",
    new Map([
      ...each("parties", "dialog.parties-transfer"),
      ...each("originator", "dialog.originator"),
      ...each("session_id", "dialog.session_id-transfer"),
      ...each("party_history", "dialog.party_history-shape"),
      ...RECORDINGS,
      ...RECORDING_SET,
      ...MEDIA,
      ...CONTENT,
      ...MESSAGE_ID,
    ]),
  ],
  ["incomplete", new Map([...RECORDINGS, ...RECORDING_SET, ...MEDIA, ...CONTENT, ...TRANSFER, ...MESSAGE_ID])],
]);
