import { entriesOf, isAbsent, type JsonObject } from "../shape.ts";
import type { RuleCode } from "./catalogue.ts";
import { checkContent } from "./content.ts";
import type { Checked } from "./document-under-check.ts";
import type { Report } from "./report.ts";
import { checkIndex, isIndex, type Range, stringMember } from "./values.ts";

/** Rules of group I. */

const TYPES = new Set(["report", "sentiment", "summary", "transcript", "translation", "tts"]);

export function checkAnalysis(checked: Checked, analysis: JsonObject, at: string): void {
  const { report } = checked;
  const place = { report, object: analysis, at };
  const type = stringMember(place, "type", "analysis.type-missing");
  if (isAbsent(analysis.type)) report.add("analysis.type-missing", `${at}/type`, "type is missing");
  else if (type !== undefined && !TYPES.has(type)) {
    report.add("analysis.type-value", `${at}/type`, `type should be one of ${[...TYPES].join(", ")}`);
  }
  stringMember(place, "vendor", "analysis.vendor-missing");
  if (isAbsent(analysis.vendor)) report.add("analysis.vendor-missing", `${at}/vendor`, "vendor is missing");
  stringMember(place, "product", "analysis.product-schema");
  stringMember(place, "schema", "analysis.product-schema");
  checkIndices(report, analysis.dialog, {
    at: `${at}/dialog`,
    code: "analysis.dialog",
    into: { length: checked.dialog.length, code: "index.dialog-range" },
  });
  checkIndices(report, analysis.attachment, {
    at: `${at}/attachment`,
    code: "analysis.attachment",
    into: { length: checked.attachments.length, code: "index.attachment-range" },
  });
  const { inline, external } = checkContent(checked, place, { strict: false });
  if (inline && isAbsent(analysis.mediatype)) {
    const fixable = typeof analysis.mimetype === "string";
    report.as({ fixable }).add("analysis.mediatype-missing", `${at}/mediatype`, "should be given for inline content");
  }
  if (!inline && !external && !checked.redacted) {
    report.add("analysis.content-missing", at, "there should be body and encoding, or url and content_hash");
  }
}

interface Indices {
  readonly at: string;
  readonly code: RuleCode;
  readonly into: Range;
}

function checkIndices(report: Report, value: unknown, { at, code, into }: Indices): void {
  if (isAbsent(value)) return;
  if (!Array.isArray(value)) {
    if (isIndex(value)) checkIndex(report, value, { pointer: at, ...into });
    else report.add(code, at, "must be an index or an array of indices");
    return;
  }
  for (const [position, index] of entriesOf(value))
    checkIndex(report, index, { pointer: `${at}/${position}`, ...into });
}
