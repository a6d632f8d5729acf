import { decodeBase64, encodeBase64url, isBase64url } from "./base64url.ts";
import type { Content, Encoding, Json } from "./document.ts";
import { jsonText } from "./json.ts";

/** What a body holds, whatever way it was written. */
export type DecodedBody =
  | { readonly kind: "json"; readonly value: Json }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/** A body with the encoding that says how to read it. */
export type EncodedBody = {
  readonly body: Json;
  readonly encoding: Encoding;
};

/** Whether JSON bodies are written as text, as the ecosystem does, or as values, as the draft does since core-03. */
export type JsonMode = "text" | "value";

/**
 * Reads the inline content of a dialog, an analysis or an attachment; `undefined` when there is none or it cannot be
 * read as what it says it is. Understands JSON text and JSON values under `json`, objects under `none`, base64 of both
 * alphabets, and guesses an encoding that is missing or unknown.
 */
export function decodeBody(content: Content): DecodedBody | undefined {
  const { body } = content;
  const encoding = encodingOf(content);
  if (body === undefined || (body === null && encoding !== "json")) return undefined;
  if (typeof body !== "string") return { kind: "json", value: body };
  if (encoding === "none") return { kind: "text", text: body };
  if (encoding === "json") {
    const value = jsonText(body);
    return { kind: "json", value: value === undefined ? body : value };
  }
  const bytes = decodeBase64(body);
  return bytes && { kind: "bytes", bytes };
}

/** How to read the body: what the content says, or a guess when it says nothing that is known. */
export function encodingOf({ body, encoding, mediatype }: Content): Encoding {
  if (encoding === "none" || encoding === "json" || encoding === "base64url") return encoding;
  if (body !== undefined && typeof body !== "string") return "json";
  if (encoding === "base64") return "base64url";
  // stored documents may hold anything in a member
  const media = typeof mediatype === "string" && /^(?:audio|video|image)\//i.test(mediatype);
  return media && body !== undefined && isBase64url(body.replace(/={1,2}$/, "")) ? "base64url" : "none";
}

/** The body of a JSON value. */
export const jsonBody = (value: Json, mode: JsonMode = "text"): EncodedBody => ({
  body: mode === "text" ? JSON.stringify(value) : value,
  encoding: "json",
});

export const textBody = (text: string): EncodedBody => ({ body: text, encoding: "none" });

export const bytesBody = (bytes: Uint8Array): EncodedBody => ({ body: encodeBase64url(bytes), encoding: "base64url" });
