import { encodedJson } from "../form.ts";
import type { JsonObject } from "../shape.ts";
import { lacks, objectOr, objectsIn, repeated } from "./jose.ts";
import type { Report } from "./report.ts";

/** Rules of group L that need no key. */

const CONTENT_TYPES = ["application/vcon", "application/vcon+gzip"];

export function checkEncrypted(report: Report, vcon: JsonObject): void {
  const missing = ["unprotected", "recipients", "iv", "ciphertext", "tag"].filter((name) => lacks(vcon, name));
  if (missing.length > 0) report.add("encrypted.members", "", `${missing.join(", ")} missing`);
  const unprotected = objectOr(vcon.unprotected);
  const shielded = objectOr(encodedJson(vcon.protected));
  const type = unprotected.cty;
  if (typeof type !== "string" || !CONTENT_TYPES.includes(type)) {
    report.add("encrypted.cty", "/unprotected/cty", `cty should be ${CONTENT_TYPES.join(" or ")}`);
  }
  if (unprotected.enc !== "A256CBC-HS512")
    report.add("encrypted.enc", "/unprotected/enc", "enc should be A256CBC-HS512");
  if (lacks(unprotected, "uuid")) report.add("encrypted.uuid", "/unprotected/uuid", "uuid of the vCon should be given");
  const overlaps = new Set(repeated(unprotected, shielded));
  for (const [index, recipient] of objectsIn(vcon.recipients)) {
    const at = `/recipients/${index}`;
    const header = objectOr(recipient.header);
    if (recipient.header === undefined || lacks(recipient, "encrypted_key")) {
      report.add("encrypted.recipient", at, "header and encrypted_key must be given");
    }
    if ((header.alg ?? shielded.alg) !== "RSA-OAEP")
      report.add("encrypted.alg", `${at}/header/alg`, "alg should be RSA-OAEP");
    for (const name of repeated(header, unprotected, shielded)) overlaps.add(name);
  }
  if (overlaps.size > 0) {
    report.add(
      "encrypted.header-disjoint",
      "",
      `in more than one header, which RFC 7516 forbids: ${[...overlaps].join(", ")}`,
    );
  }
}
