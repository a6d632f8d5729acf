import { readTime } from "../date.ts";
import { entriesOf, isAbsent, isObject, type JsonObject } from "../shape.ts";
import { CURRENT_VERSION, isOlderVersion } from "../upgrade.ts";
import { isTextualUuid, toUuid } from "../uuid.ts";
import type { Checked } from "./document-under-check.ts";
import { checkReference } from "./reference.ts";
import { checkDate, neededString } from "./values.ts";

/** Rules of groups A, B and D for an unsigned document. */

const ARRAYS = ["parties", "dialog", "analysis", "attachments"] as const;
const KNOWN = new Set([
  ...ARRAYS,
  ..."vcon uuid extensions critical created_at updated_at subject redacted amended group".split(" "),
  // members of 0.5.0, which is not published
  ..."sessions events redacted_from amended_from".split(" "),
]);

export function checkTop(checked: Checked): void {
  const { vcon, report } = checked;
  checkVersion(checked);
  checkUuid(checked);
  checkTimes(checked);
  checkArrays(checked);
  checkExtensions(checked);
  neededString({ report, object: vcon, at: "" }, "subject", "vcon.subject-type");
  checkReference(checked, "redacted");
  checkReference(checked, "amended");
  if (!isAbsent(vcon.redacted) && !isAbsent(vcon.amended)) {
    report.add("vcon.redacted-xor-amended", "/amended", "a vCon is either redacted or amended, not both");
  }
  if (!isAbsent(vcon.group))
    report.add("vcon.group-reserved", "/group", "group is reserved for an extension and must not be used");
  if (vcon.appended !== undefined && vcon.appended !== null && !isObject(vcon.appended)) {
    report.refuse("type.object", "/appended", "appended must be an object");
  }
  for (const name of Object.keys(vcon)) {
    if (!KNOWN.has(name))
      report.add("vcon.unknown-member", pointerTo(name), "the draft does not know this member; it is kept");
  }
}

const pointerTo = (name: string): string => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;

function checkVersion({ vcon, report }: Checked): void {
  const version = vcon.vcon;
  if (version === undefined || version === null || version === CURRENT_VERSION) return;
  if (typeof version !== "string") report.refuse("vcon.version-value", "/vcon", "vcon must be a string");
  else {
    const fixable = isOlderVersion(version);
    report.as({ fixable }).add("vcon.version-value", "/vcon", `the version must be "${CURRENT_VERSION}", or left out`);
  }
}

function checkUuid({ vcon, report }: Checked): void {
  const { uuid } = vcon;
  if (typeof uuid !== "string") {
    report.refuse("vcon.uuid-missing", "/uuid", "uuid is missing or not a string");
  } else if (!isTextualUuid(uuid)) {
    report
      .as({
        fatal: toUuid(uuid) === undefined,
      })
      .add("vcon.uuid-syntax", "/uuid", "uuid must be 8-4-4-4-12 hexadecimal digits");
  } else if (uuid[14] !== "8" || !"89abAB".includes(uuid[19]!)) {
    report.add("vcon.uuid-v8", "/uuid", "uuid should be of version 8");
  }
}

function checkTimes({ vcon, report }: Checked): void {
  const { created_at, updated_at } = vcon;
  if (created_at === undefined || created_at === null) {
    report.add("vcon.created_at-missing", "/created_at", "created_at is missing");
  } else {
    checkDate(report, created_at, { pointer: "/created_at", code: "vcon.created_at-date", needed: true });
  }
  if (updated_at === undefined || updated_at === null) return;
  checkDate(report, updated_at, { pointer: "/updated_at", code: "vcon.updated_at-date" });
  const [created, updated] = [readTime(created_at), readTime(updated_at)];
  if (created !== undefined && updated !== undefined && updated < created) {
    report.add("vcon.updated_at-stale", "/updated_at", "updated_at is earlier than created_at");
  }
}

function checkArrays({ vcon, report }: Checked): void {
  for (const name of ARRAYS) {
    const value = vcon[name];
    if (value === undefined || value === null) continue;
    if (!Array.isArray(value)) {
      report.refuse("vcon.array-type", `/${name}`, `${name} must be an array of objects`);
      continue;
    }
    for (const [index, element] of entriesOf(value)) {
      if (isObject(element)) continue;
      report.refuse(name === "parties" ? "party.object" : "vcon.array-type", `/${name}/${index}`, "must be an object");
    }
  }
  if (!ARRAYS.some((name) => Object.hasOwn(vcon, name))) {
    report.add("form.empty", "", "there should be at least one of parties, dialog, analysis and attachments");
  }
}

function checkExtensions({ vcon, report }: Checked): void {
  const extensions = names(vcon, "extensions");
  const critical = names(vcon, "critical");
  if (extensions === undefined)
    report.add("vcon.extensions-type", "/extensions", "extensions must be an array of strings");
  if (critical === undefined) report.add("vcon.critical-type", "/critical", "critical must be an array of strings");
  const known = new Set(extensions);
  for (const name of critical ?? []) {
    report.add(
      "vcon.critical-unsupported",
      "/critical",
      `who does not know the extension ${name} may only report or refuse this vCon`,
    );
    if (extensions && !known.has(name)) {
      report.add("vcon.critical-subset", "/critical", `${name} is not among the extensions`);
    }
  }
}

function names(vcon: JsonObject, member: string): readonly string[] | undefined {
  const value = vcon[member] ?? [];
  return Array.isArray(value) && value.every((name) => typeof name === "string") ? value : undefined;
}
