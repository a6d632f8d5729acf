import { decodeBase64, encodeBase64url } from "../base64url.ts";
import { encodingOf } from "../body.ts";
import type { Json } from "../document.ts";
import { hasOldHash } from "../rules/content.ts";
import { isAbsent, isObject, type JsonObject, without } from "../shape.ts";
import type { Step } from "./steps.ts";

interface Place {
  readonly at: string;
  readonly step: Step;
}

/** Content in the shape of the current draft: hash in one member, encoding that says what the body is. */
export const withCurrentContent = (element: JsonObject, place: Place): JsonObject =>
  withEncoding(withContentHash(element, place), place);

/** `alg` and `signature` of SHA-512 as one content hash; other algorithms stay as they are. */
function withContentHash(element: JsonObject, { at, step }: Place): JsonObject {
  if (!isAbsent(element.content_hash) || !hasOldHash(element)) return element;
  const digest = digestOf(String(element.signature));
  if (digest === undefined) {
    step("hash", `${at}/signature`, "is no SHA-512 digest and was left as it is");
    return element;
  }
  step("hash", `${at}/content_hash`, "made from alg and signature");
  return { ...without(without(element, "alg"), "signature"), content_hash: `sha512-${digest}` };
}

function digestOf(signature: string): string | undefined {
  const bytes = /^[0-9a-f]{128}$/i.test(signature) ? fromHex(signature) : decodeBase64(signature);
  return bytes?.length === 64 ? encodeBase64url(bytes) : undefined;
}

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16));

function withEncoding(element: JsonObject, { at, step }: Place): JsonObject {
  const { body, encoding, mediatype } = element;
  if (isAbsent(body) || body === "") return element;
  const structured = isObject(body) || Array.isArray(body);
  if (encoding === "none" && structured) {
    step("encoding", `${at}/encoding`, "json, since the body is a value; was none");
    return { ...element, encoding: "json" };
  }
  if (!isAbsent(encoding) && encoding !== "base64") return element;
  const guessed = encodingOf({
    ...(isJson(body) && { body }),
    ...(typeof encoding === "string" && { encoding }),
    ...(typeof mediatype === "string" && { mediatype }),
  });
  step("encoding", `${at}/encoding`, `${guessed}, guessed from the body and its media type`);
  return { ...element, encoding: guessed };
}

const isJson = (value: unknown): value is Json => value !== undefined;
