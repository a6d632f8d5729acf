import { decodeBase64, isBase64url } from "../base64url.ts";
import { encodedJson, payloadOf } from "../form.ts";
import { parseJson } from "../json.ts";
import { isObject, type JsonObject } from "../shape.ts";
import { toUuid } from "../uuid.ts";
import { lacks, objectOr, objectsIn, repeated } from "./jose.ts";
import type { Report } from "./report.ts";

/** Rules of group K that need no key. */
export function checkSigned(report: Report, vcon: JsonObject): void {
  checkPayload(report, vcon.payload);
  const { signatures } = vcon;
  if (!Array.isArray(signatures) || signatures.length === 0) {
    report.add("signed.signatures", "/signatures", "must be an array of at least one signature");
  }
  const uuid = payloadOf(vcon)?.uuid;
  for (const [index, entry] of objectsIn(signatures))
    checkSignature(report, entry, { at: `/signatures/${index}`, uuid });
}

function checkPayload(report: Report, payload: unknown): void {
  if (typeof payload !== "string" || !isBase64url(payload)) {
    report.as({ fatal: typeof payload !== "string" }).add("signed.payload", "/payload", "must be base64url of a vCon");
    return;
  }
  const bytes = decodeBase64(payload);
  const isGzip = bytes?.[0] === 0x1f && bytes[1] === 0x8b;
  if (!bytes || isGzip) return;
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isObject(parsed.value)) {
    report.refuse("signed.payload", "/payload", "does not hold a JSON object");
  } else {
    for (const { pointer } of parsed.findings.filter(({ code }) => code === "form.duplicate-key")) {
      report.refuse(
        "form.duplicate-key",
        "/payload",
        `two programs can read two different vCons out of it: ${pointer} occurs twice`,
      );
    }
  }
}

interface SignaturePlace {
  readonly at: string;
  /** What the payload says. */
  readonly uuid: unknown;
}

function checkSignature(report: Report, entry: JsonObject, { at, uuid }: SignaturePlace): void {
  const missing = ["header", "protected", "signature"].filter((name) => lacks(entry, name));
  if (missing.length > 0) report.add("signed.signatures", at, `${missing.join(", ")} missing`);
  const header = objectOr(entry.header);
  const shielded = objectOr(encodedJson(entry.protected));
  const both = repeated(header, shielded);
  if (both.length > 0)
    report.add("signed.header-disjoint", at, `in both headers, which RFC 7515 forbids: ${both.join(", ")}`);
  if (lacks(header, "alg"))
    report.add("signed.header-alg", `${at}/header/alg`, "alg is missing in the unprotected header");
  if (lacks(header, "x5c") && lacks(header, "x5u"))
    report.add("signed.header-x5", `${at}/header`, "x5c or x5u is missing");
  if (!lacks(header, "x5u") && !(typeof header.x5u === "string" && /^https:\/\/./i.test(header.x5u))) {
    report.add("signed.x5u-https", `${at}/header/x5u`, "must be one https URL");
  }
  const algorithm = shielded.alg ?? header.alg;
  if (algorithm !== undefined && algorithm !== "RS256") report.add("signed.alg-rs256", at, "alg should be RS256");
  if (lacks(shielded, "alg"))
    report.add("signed.protected-alg", `${at}/protected`, "alg is not protected by the signature");
  const named = header.uuid ?? shielded.uuid;
  if (typeof named !== "string")
    report.add("signed.uuid-missing", `${at}/header/uuid`, "uuid of the vCon should be given");
  else if (typeof uuid === "string" && toUuid(named) !== toUuid(uuid)) {
    report.add("signed.uuid-mismatch", `${at}/header/uuid`, "is not the uuid of the signed vCon");
  }
}
