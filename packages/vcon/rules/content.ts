import { isBase64url } from "../base64url.ts";
import { jsonText } from "../json.ts";
import { entriesOf, isAbsent, type JsonObject } from "../shape.ts";
import type { Checked } from "./document-under-check.ts";
import type { Report } from "./report.ts";
import { checkMediatype, type Place, stringMember } from "./values.ts";

/** Rules of group G: inline and external content of dialogs, attachments and analyses. */

const ENCODINGS = new Set(["base64url", "json", "none"]);
const HAS_SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/./;
const HASH = /^([a-z0-9]+)-([A-Za-z0-9_-]+)$/;
const SHA512_LENGTH = 86;

/** Checks the content of an element; `strict` refuses URLs that are malformed. */
export function checkContent(
  checked: Checked,
  place: Place,
  { strict }: { readonly strict: boolean },
): { readonly inline: boolean; readonly external: boolean } {
  const { report } = checked;
  const { body, url } = place.object;
  const inline = body !== "" && !isAbsent(body);
  const external = !isAbsent(url);
  checkMediatype(place);
  stringMember(place, "filename", "content.filename");
  checkEncoding(checked, place, inline);
  if (external) checkUrl(report, place, strict);
  if (!isAbsent(place.object.content_hash)) checkHashes(report, place.object.content_hash, `${place.at}/content_hash`);
  if (inline && external) report.add("content.both", place.at, "body and url are alternatives");
  if (!checked.redacted && !external && !isAbsent(place.object.content_hash)) {
    report.add("content.encoding-orphan", `${place.at}/content_hash`, "content_hash stands without url");
  }
  return { inline, external };
}

function checkEncoding(checked: Checked, place: Place, inline: boolean): void {
  const { report } = checked;
  const { body } = place.object;
  const pointer = `${place.at}/encoding`;
  const encoding = stringMember(place, "encoding", "content.encoding-value");
  if (encoding === undefined) {
    if (inline) report.add("content.encoding-missing", pointer, "encoding must stand beside body");
  } else if (!ENCODINGS.has(encoding)) {
    report
      .as({
        fixable: encoding === "base64",
      })
      .add("content.encoding-value", pointer, "encoding must be base64url, json or none");
  } else if (body === undefined) {
    if (!checked.redacted) report.add("content.encoding-orphan", pointer, "encoding stands without body");
  } else if (inline) checkBody(checked, body, { encoding, pointer: `${place.at}/body` });
}

function checkBody(
  { report, bodies }: Checked,
  body: unknown,
  { encoding, pointer }: { readonly encoding: string; readonly pointer: string },
): void {
  if (encoding === "none" && typeof body !== "string") {
    report
      .as({
        fixable: typeof body === "object",
      })
      .add("content.none-string", pointer, "under encoding none the body must be a string");
  } else if (encoding === "base64url" && !(typeof body === "string" && isBase64url(body))) {
    report.add("content.b64-string", pointer, "must be base64url without padding");
  } else if (bodies && encoding === "json" && typeof body === "string" && jsonText(body) === undefined) {
    report.add("content.json-string-parse", pointer, "is a string under encoding json and holds no JSON text");
  }
}

function checkUrl(report: Report, { object, at }: Place, strict: boolean): void {
  const { url } = object;
  if (typeof url !== "string")
    report.as({ fatal: strict }).add("content.url-https", `${at}/url`, "url must be a string");
  else if (!/^https:\/\/./i.test(url)) {
    report
      .as({
        fatal: strict && !HAS_SCHEME.test(url),
      })
      .add("content.url-https", `${at}/url`, "url must be an https URL");
  }
  if (isAbsent(object.content_hash)) {
    report
      .as({
        fixable: hasOldHash(object),
      })
      .add("content.hash-missing", `${at}/content_hash`, "content_hash must stand beside url");
  }
}

/** The pair of members that held a hash before 0.0.2. */
export const hasOldHash = ({ alg, signature }: JsonObject): boolean =>
  typeof alg === "string" && typeof signature === "string" && /^sha-?512$/i.test(alg);

function checkHashes(report: Report, hashes: unknown, at: string): void {
  if (!Array.isArray(hashes)) checkHash(report, hashes, at);
  for (const [position, hash] of entriesOf(hashes)) checkHash(report, hash, `${at}/${position}`);
}

function checkHash(report: Report, hash: unknown, at: string): void {
  const [, algorithm, digest = ""] = typeof hash === "string" ? (HASH.exec(hash) ?? []) : [];
  if (algorithm === undefined) {
    report.add("content.hash-shape", at, "must be an algorithm, a hyphen and a base64url digest");
  } else if (algorithm === "sha512" && digest.length !== SHA512_LENGTH) {
    report.add("content.hash-length", at, `a sha512 digest has ${SHA512_LENGTH} characters, not ${digest.length}`);
  }
}
