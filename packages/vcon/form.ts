import { decodeBase64 } from "./base64url.ts";
import type { VconUuid } from "./document.ts";
import { parseJson } from "./json.ts";
import { isObject, type JsonObject, own } from "./shape.ts";
import { toUuid } from "./uuid.ts";

/** Signed = JWS, encrypted = JWE, both in general JSON serialization (core-04 section 5). */
export type Form = "unsigned" | "signed" | "encrypted";

const ARRAYS = ["parties", "dialog", "analysis", "attachments", "sessions", "events"];
/** A signed form may sign a signed form, for archives; deeper than this nobody looks. */
const MAX_NESTING = 8;

/** Which form an object has; `undefined` when it is none that the draft knows. */
export function formOf(value: unknown): Form | undefined {
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, "payload") && Object.hasOwn(value, "signatures")) return "signed";
  if (Object.hasOwn(value, "ciphertext") && Object.hasOwn(value, "recipients")) return "encrypted";
  if (ARRAYS.some((name) => Object.hasOwn(value, name))) return "unsigned";
  return Object.hasOwn(value, "uuid") && Object.hasOwn(value, "created_at") ? "unsigned" : undefined;
}

/**
 * The uuid a document says it has. Signed: the payload's, which the signature covers, else the first header's.
 * Encrypted: the unprotected header's, else the protected one's. Nothing is verified here.
 */
export function uuidOf(value: unknown, form: Form | undefined = formOf(value)): VconUuid | undefined {
  if (!isObject(value)) return undefined;
  if (form === "signed") return uuidIn(payloadOf(value)) ?? uuidInHeaders(value);
  if (form === "encrypted") return uuidIn(own(value, "unprotected")) ?? uuidIn(encodedJson(own(value, "protected")));
  return uuidIn(value);
}

/** The unsigned vCon inside a signed one, unverified; `undefined` when it is compressed or no vCon. */
export function payloadOf(value: JsonObject, nesting = 0): JsonObject | undefined {
  const inner = encodedJson(own(value, "payload"));
  return inner !== undefined && formOf(inner) === "signed" && nesting < MAX_NESTING
    ? payloadOf(inner, nesting + 1)
    : inner;
}

/** The JSON object in a base64url string, as JOSE writes headers and payloads. */
export function encodedJson(text: unknown): JsonObject | undefined {
  const bytes = typeof text === "string" ? decodeBase64(text) : undefined;
  const parsed = bytes && parseJson(bytes);
  return parsed?.ok && isObject(parsed.value) ? parsed.value : undefined;
}

const uuidIn = (object: unknown): VconUuid | undefined => {
  const uuid = isObject(object) ? own(object, "uuid") : undefined;
  return typeof uuid === "string" ? toUuid(uuid) : undefined;
};

function uuidInHeaders(value: JsonObject): VconUuid | undefined {
  const signatures = own(value, "signatures");
  for (const entry of Array.isArray(signatures) ? signatures : []) {
    const found = isObject(entry)
      ? (uuidIn(own(entry, "header")) ?? uuidIn(encodedJson(own(entry, "protected"))))
      : undefined;
    if (found) return found;
  }
  return undefined;
}
