import { decodeBase64 } from "@vcon-server/vcon";
import { htmlText } from "./html.ts";

/** Parts within parts; what is nested deeper is not read. */
const MAX_DEPTH = 8;

/** Content of a mail or of a part of one, with what its headers say about it. */
export interface MailPart {
  /** With its parameters, such as `multipart/mixed; boundary="b"`. */
  readonly mediatype: string;
  readonly body: string;
  /** `base64` or `quoted-printable`, where the body is written so. */
  readonly transferEncoding?: string;
}

/**
 * The words of a mail: of alternatives the plain one, of several parts all texts that are no attachments, HTML without its
 * markup. Nothing is fetched. Texts whose bytes are not UTF-8 are read in the charset they name.
 */
export const mailText = (part: MailPart): string => textOf(part, 0).trim();

function textOf(part: MailPart, depth: number): string {
  const media = mediaOf(part.mediatype);
  if (depth > MAX_DEPTH) return "";
  if (media.startsWith("multipart/")) return multipartText(part, depth);
  if (media === "message/rfc822") return textOf(messageOf(part.body, "text/plain"), depth + 1);
  if (media === "text/html") return htmlText(decoded(part));
  return media.startsWith("text/") ? decoded(part) : "";
}

function multipartText(part: MailPart, depth: number): string {
  const parts = partsOf(part).filter(({ attached }) => !attached);
  const texts = parts.map((one) => ({ media: mediaOf(one.mediatype), text: textOf(one, depth + 1) }));
  const readable = texts.filter(({ text }) => text.trim() !== "");
  if (mediaOf(part.mediatype) !== "multipart/alternative") return readable.map(({ text }) => text).join("\n\n");
  return (readable.find(({ media }) => media === "text/plain") ?? readable[0])?.text ?? "";
}

interface Part extends MailPart {
  readonly attached: boolean;
}

/** The parts between the boundary lines; a boundary that nobody names is taken from the first line that looks like one. */
function partsOf({ mediatype, body }: MailPart): Part[] {
  const lines = body.split("\n").map((line) => line.replace(/\r$/, ""));
  const boundary =
    parameter(mediatype, "boundary") ??
    lines
      .find((line) => /^--\S/.test(line))
      ?.slice(2)
      .trimEnd();
  if (boundary === undefined) return [];
  const parts: string[][] = [];
  for (const line of lines) {
    const bare = line.startsWith("--") ? line.trimEnd().slice(2) : undefined;
    if (bare === `${boundary}--`) break;
    if (bare === boundary) parts.push([]);
    else parts.at(-1)?.push(line);
  }
  return parts.map((part) => messageOf(part.join("\n"), "text/plain"));
}

/** Headers and body of a message or a part. Text that begins with no header is all body. */
function messageOf(source: string, fallback: string): Part {
  const whole = source.replace(/\r\n/g, "\n");
  const blank = whole.startsWith("\n") ? 0 : whole.indexOf("\n\n");
  const head = blank < 0 ? whole : whole.slice(0, blank);
  if (blank !== 0 && !/^[!-9;-~]+:/.test(head)) return { mediatype: fallback, body: whole, attached: false };
  // a header goes on in lines that begin with a space
  const headers = head.replace(/\n[ \t]+/g, " ").split("\n");
  const header = (name: string) =>
    headers
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const transferEncoding = header("content-transfer-encoding")?.toLowerCase();
  return {
    mediatype: header("content-type") ?? fallback,
    body: blank < 0 ? "" : whole.slice(blank).replace(/^\n{1,2}/, ""),
    attached: /^attachment\b/i.test(header("content-disposition") ?? ""),
    ...(transferEncoding !== undefined && { transferEncoding }),
  };
}

/** The type without its parameters, in lower case. */
export const mediaOf = (mediatype: string): string => (mediatype.split(";")[0] ?? "").trim().toLowerCase();

/** A parameter of a media type. */
export const parameter = (mediatype: string, name: string): string | undefined => {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^\\s;]+))`, "i").exec(mediatype);
  return found?.[1] ?? found?.[2];
};

function decoded({ mediatype, body, transferEncoding }: MailPart): string {
  const bytes = bytesOf(body, transferEncoding);
  return bytes ? bytesText(bytes, parameter(mediatype, "charset")) : body;
}

function bytesOf(body: string, transferEncoding: string | undefined): Uint8Array | undefined {
  if (transferEncoding === "base64") return decodeBase64(body.replace(/\s+/g, ""));
  return transferEncoding === "quoted-printable" ? quotedPrintable(body) : undefined;
}

const EQUALS = 0x3d;

/** `=3D` is a byte, and `=` at the end of a line joins it to the next. What is written otherwise stays as it is. */
function quotedPrintable(body: string): Uint8Array {
  const source = new TextEncoder().encode(body.replace(/=[ \t]*\n/g, ""));
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length; at++) {
    const byte = source[at] ?? 0;
    const hex = byte === EQUALS ? String.fromCharCode(source[at + 1] ?? 0, source[at + 2] ?? 0) : "";
    const written = /^[0-9A-Fa-f]{2}$/.test(hex);
    bytes[length++] = written ? Number.parseInt(hex, 16) : byte;
    if (written) at += 2;
  }
  return bytes.subarray(0, length);
}

/** Text of bytes in the charset they name; else in UTF-8, or in Windows-1252 where they are not UTF-8. */
export function bytesText(bytes: Uint8Array, charset?: string): string {
  return (
    decodedAs(bytes, charset ?? "utf-8") ?? decodedAs(bytes, "utf-8") ?? new TextDecoder("windows-1252").decode(bytes)
  );
}

/** `undefined` when there is no such charset or the bytes are not written in it. */
function decodedAs(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}
