import type { Finding } from "../finding.ts";
import { type Form, formOf } from "../form.ts";
import { isObject, type JsonObject } from "../shape.ts";
import { checkAnalysis } from "./analysis.ts";
import { checkAttachment } from "./attachment.ts";
import { checkDialog } from "./dialog.ts";
import { checked } from "./document-under-check.ts";
import { checkEncrypted } from "./encrypted.ts";
import { checkParty } from "./party.ts";
import { newReport, type Report } from "./report.ts";
import { checkSigned } from "./signed.ts";
import { checkTop } from "./top.ts";

export interface FindingOptions {
  /** Findings after which only those are kept that make the document refused. Default 500. */
  readonly limit?: number;
  /** Whether JSON text inside bodies is parsed and checked, too. Slower; default false. */
  readonly bodies?: boolean;
}

const LIMIT = 500;

/**
 * What the rules of core-04 say about one document, as it stands: rules that need keys, other documents or the media
 * are not among them. Of a signed form only the envelope is checked. Older member names are unknown members here.
 */
export function findings(vcon: JsonObject, { limit = LIMIT, bodies = false }: FindingOptions = {}): Finding[] {
  const report = newReport(limit);
  const form = formOf(vcon);
  if (form === undefined) report.as({ fatal: true }).add("form.unrecognised", "", unrecognised(vcon));
  else check(vcon, { form, report, bodies });
  return report.findings();
}

interface Check {
  readonly form: Form;
  readonly report: Report;
  readonly bodies: boolean;
}

function check(vcon: JsonObject, { form, report, bodies }: Check): void {
  if (form !== "unsigned") {
    const clear = ["parties", "dialog", "analysis", "attachments"].filter((name) => Object.hasOwn(vcon, name));
    if (clear.length > 0 || ("payload" in vcon && "ciphertext" in vcon)) {
      report.add(
        "form.ambiguous",
        "",
        "has members of more than one form; what stands beside the payload is not trusted",
      );
    }
    if (form === "signed") checkSigned(report, vcon);
    else checkEncrypted(report, vcon);
    return;
  }
  const document = checked(vcon, report, bodies);
  checkTop(document);
  for (const [index, party] of document.parties.entries()) if (party) checkParty(report, party, `/parties/${index}`);
  for (const [index, dialog] of document.dialog.entries())
    if (dialog) checkDialog(document, dialog, `/dialog/${index}`);
  for (const [index, analysis] of document.analysis.entries()) {
    if (analysis) checkAnalysis(document, analysis, `/analysis/${index}`);
  }
  for (const [index, attachment] of document.attachments.entries()) {
    if (attachment) checkAttachment(document, attachment, `/attachments/${index}`);
  }
  checkMessageIds(report, document.dialog);
}

function checkMessageIds(report: Report, dialogs: readonly (JsonObject | undefined)[]): void {
  const seen = new Map<string, number>();
  for (const [index, dialog] of dialogs.entries()) {
    const id = dialog?.message_id;
    if (typeof id !== "string" || id === "") continue;
    const first = seen.get(id);
    if (first === undefined) seen.set(id, index);
    else
      report.add(
        "dialog.message_id-duplicate",
        `/dialog/${index}/message_id`,
        `is also the message_id of dialog ${first}`,
      );
  }
}

function unrecognised(vcon: JsonObject): string {
  if (isObject(vcon) && typeof vcon.payload === "string" && typeof vcon.signature === "string") {
    return "a flattened JWS is no vCon: the general serialization with signatures is wanted";
  }
  return "is no vCon: there is none of parties, dialog, analysis, attachments, and not both uuid and created_at";
}
