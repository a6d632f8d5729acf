import { isAbsent, type JsonObject } from "../shape.ts";
import { tagsIn } from "../tags.ts";
import { checkContent } from "./content.ts";
import type { Checked } from "./document-under-check.ts";
import { checkDate, checkIndex, stringMember } from "./values.ts";

/** Rules of group H. */
export function checkAttachment(checked: Checked, attachment: JsonObject, at: string): void {
  const { report } = checked;
  const { start, party, dialog } = attachment;
  const purpose = stringMember({ report, object: attachment, at }, "purpose", "attachment.purpose");
  if (isAbsent(start)) report.add("attachment.start-missing", `${at}/start`, "start is missing");
  else checkDate(report, start, { pointer: `${at}/start`, code: "attachment.start-missing" });
  if (isAbsent(party)) report.add("attachment.party-missing", `${at}/party`, "party, who contributed it, is missing");
  else checkIndex(report, party, { pointer: `${at}/party`, length: checked.parties.length, code: "index.party-range" });
  if (isAbsent(dialog)) report.add("attachment.dialog-missing", `${at}/dialog`, "dialog, where it belongs, is missing");
  else
    checkIndex(report, dialog, { pointer: `${at}/dialog`, length: checked.dialog.length, code: "index.dialog-range" });
  const { inline, external } = checkContent(checked, { report, object: attachment, at }, { strict: false });
  if (inline && isAbsent(attachment.mediatype)) {
    const fixable = typeof attachment.mimetype === "string";
    report.as({ fixable }).add("attachment.mediatype-missing", `${at}/mediatype`, "must be given for inline content");
  }
  if (!inline && !external && !checked.redacted) {
    report.add("attachment.content-missing", at, "there should be body and encoding, or url and content_hash");
  }
  if ((purpose ?? attachment.type) === "tags" && inline && !holdsTags(attachment)) {
    report.add("attachment.tags", `${at}/body`, 'tags are usually a list of "name:value"');
  }
}

const holdsTags = (attachment: JsonObject): boolean =>
  Array.isArray(attachment.body) || tagsIn(attachment) !== undefined;
