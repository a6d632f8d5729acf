import { isObject, type JsonObject } from "../shape.ts";
import type { RuleCode } from "./catalogue.ts";
import type { Report } from "./report.ts";
import { neededString, stringMember } from "./values.ts";

/** Rules of group E. */

const GLOBAL_NUMBER = /^\+[0-9().-]*[0-9][0-9().-]*(?:;[^\s]+)?$/;
const LOCAL_NUMBER = /^[0-9A-Fa-f*#().-]+(?:;[^\s]+)?;phone-context=[^\s;]+(?:;[^\s]+)?$/i;
/** What people dial or write down: begins with a digit or a sign of one, holds nothing but what belongs to numbers. */
const DIALLED = /^[+\d(*#][\d\s().+xX#*/,-]*(?:;.*)?$/;
const NONCORE = ["role", "contact_list", "jCard", "timezone", "id", "email", "meta"];

/** Members with a form of their own: rule, pattern, what is wanted. */
const FORMS: readonly (readonly [string, RuleCode, RegExp, string])[] = [
  ["sip", "party.sip", /^(?:sips?:)?(?:[^\s@<>]+@)?[^\s@<>]+$/i, "must be a SIP address"],
  ["stir", "party.stir", /^[\w-]+\.[\w-]+\.[\w-]*$/, "must be a PASSporT in compact form"],
  ["mailto", "party.mailto", /[^\s@<>]@[^\s@<>]/, "must hold an e-mail address"],
  ["name", "party.name", /(?:)/, ""],
  ["did", "party.did", /^did:[a-z0-9]+:\S+$/, "must be a DID"],
  ["gmlpos", "party.gmlpos", /^[+-]?\d+(?:\.\d*)?\s+[+-]?\d+(?:\.\d*)?$/, "must be latitude and longitude"],
  ["uuid", "party.uuid", /(?:)/, ""],
  ["type", "party.type", /^(?:person|bot|organization)$/, "should be person, bot or organization"],
  ["org", "party.org-dept", /(?:)/, ""],
  ["dept", "party.org-dept", /(?:)/, ""],
  ["validation", "type.string", /(?:)/, ""],
];

export function checkParty(report: Report, party: JsonObject, at: string): void {
  checkTel(report, party, at);
  for (const [name, code, pattern, wanted] of FORMS) {
    if (!Object.hasOwn(party, name)) continue;
    const value = stringMember({ report, object: party, at }, name, code);
    if (value !== undefined && value !== "" && !pattern.test(value)) report.add(code, `${at}/${name}`, wanted);
  }
  if (party.name && !party.validation) {
    report.add(
      "party.validation-missing",
      `${at}/validation`,
      "says how the name was checked; should stand beside name",
    );
  }
  const { civicaddress } = party;
  if (civicaddress !== undefined && civicaddress !== null) checkAddress(report, civicaddress, `${at}/civicaddress`);
  const noncore = NONCORE.filter((name) => Object.hasOwn(party, name));
  if (noncore.length > 0)
    report
      .as({
        fixable: noncore.includes("email"),
      })
      .add("party.noncore", at, `not in the core draft: ${noncore.join(", ")}`);
}

/** Numbers that are no tel URI are kept; what is no number at all is refused. */
function checkTel(report: Report, party: JsonObject, at: string): void {
  const tel = neededString({ report, object: party, at }, "tel", "party.tel");
  if (tel === undefined) return;
  const number = tel.replace(/^tel:/i, "");
  if (GLOBAL_NUMBER.test(number) || LOCAL_NUMBER.test(number)) return;
  const fatal = number !== "" && !DIALLED.test(number);
  report
    .as({ fatal })
    .add("party.tel", `${at}/tel`, fatal ? "must be a telephone number" : "should be a tel URI, such as +12025550143");
}

function checkAddress(report: Report, address: unknown, at: string): void {
  if (!isObject(address) || Object.values(address).some((line) => typeof line !== "string")) {
    report.add("party.civic-object", at, "must be an object of strings");
    return;
  }
  for (const name of Object.keys(address)) {
    if (name !== name.toLowerCase()) report.add("party.civic-case", at, `${name} must be in lower case`);
  }
}
