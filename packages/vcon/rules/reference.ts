import { isAbsent, isObject } from "../shape.ts";
import { toUuid } from "../uuid.ts";
import type { Checked } from "./document-under-check.ts";
import { checkOtherUuid } from "./values.ts";

/** Rules of group D: the reference to the version a redacted or amended vCon was made from. */
export function checkReference({ vcon, report }: Checked, member: "redacted" | "amended"): void {
  const reference = vcon[member];
  const at = `/${member}`;
  if (reference !== undefined && reference !== null && !isObject(reference)) {
    const fatal = member === "redacted";
    report.as({ fatal }).add("type.object", at, `${member} must be an object`);
    return;
  }
  if (!isObject(reference) || isAbsent(reference)) return;
  const { uuid, url } = reference;
  if (uuid !== undefined) {
    checkOtherUuid(report, uuid, `${at}/uuid`);
    if (typeof uuid === "string" && typeof vcon.uuid === "string" && toUuid(uuid) === toUuid(vcon.uuid)) {
      report.add("ref.self", `${at}/uuid`, "names the vCon itself");
    }
  }
  if (url !== undefined) {
    if (reference.content_hash === undefined)
      report.add("ref.url-needs-hash", `${at}/content_hash`, "content_hash is missing beside url");
    if (typeof url !== "string" || !/^https:\/\/./i.test(url))
      report.add("ref.url-https", `${at}/url`, "must be an https URL");
  }
  if (reference.body !== undefined || reference.encoding !== undefined) {
    report.add("ref.no-inline", at, "the other version must not be inlined");
  }
  if (member === "redacted") {
    if (typeof reference.type !== "string")
      report.add("redacted.type-missing", `${at}/type`, "the kind of redaction is missing");
    if (uuid === undefined && url === undefined)
      report.add("redacted.reference", at, "the less redacted version should be named");
    else if (uuid === undefined)
      report.add("redacted.uuid-missing", `${at}/uuid`, "the uuid of the less redacted version should be given");
  } else if (uuid === undefined && url === undefined) {
    report.add("amended.no-reference", at, "uuid or url of the version before is missing");
  }
}
