import { isUtf8 } from "node:buffer";
import type { Email } from "postal-mime";
import { joinFlowed } from "./flowed.ts";
import { htmlText } from "./html.ts";

/** Messages within messages; what is nested deeper is not read. */
const MAX_DEPTH = 8;

/** Content of a mail, with what is known about it. */
export interface MailSource {
  /** With its parameters, such as `multipart/mixed; boundary="b"`. */
  readonly mediatype: string;
  /** As bytes, which the parts may have written in charsets of their own, or as text that has been decoded before. */
  readonly body: Uint8Array | string;
}

/**
 * Reads the words of a mail: of alternatives the plain one, of several parts all texts that are no attachments, HTML
 * without its markup, and forwarded messages behind them. Calendars, cards and reports are no words. Nothing is fetched.
 */
export async function readMail({ mediatype, body }: MailSource): Promise<string> {
  const source = typeof body === "string" ? escapeDecoded(body) : Buffer.from(body).toString("latin1");
  const text = await readMessage(withHeaders(source, mediatype), 0);
  if (typeof body === "string") return restoreDecoded(text);
  // bytes that say no charset and are not UTF-8 are Windows-1252, as elsewhere
  const readable = !text.includes("\ufffd") || /charset\s*=/i.test(source) || isUtf8(body);
  return readable ? text : readMail({ mediatype, body: bytesText(body) });
}

/** The message as it travels: a multipart body gets the header that names its boundary, an mbox line is taken off. */
function withHeaders(source: string, mediatype: string): string {
  if (mediaOf(mediatype).startsWith("multipart/")) {
    // a boundary that is not named is taken from the first line that looks like one
    const boundary = parameter(mediatype, "boundary") ?? /^--(\S[^\r\n]*)$/m.exec(source)?.[1]?.trimEnd();
    const named = boundary === undefined ? "text/plain" : `${mediaOf(mediatype)}; boundary="${boundary}"`;
    return boundary === undefined ? "" : `Content-Type: ${named}\r\n\r\n${source}`;
  }
  const mbox = /^From \S.*\r?\n/.exec(source)?.[0];
  if (mbox !== undefined) return source.slice(mbox.length).replace(/^>(>*From )/gm, "$1");
  return /^[!-9;-~]+[ \t]*:/.test(source) ? source : `\r\n${source}`;
}

async function readMessage(source: string, depth: number): Promise<string> {
  // joined here: the parser would join an answer to the quoted line above it
  const mail = await parse(source.replaceAll(FLOWED, "$1fixed"));
  if (!mail) return "";
  const plain = mail.html === undefined || PLAIN.test(source) ? (mail.text ?? "") : "";
  const text = plain.trim() === "" ? htmlText(mail.html ?? "") : plain;
  const own = source.search(FLOWED) < 0 ? text : joinFlowed(text, { delSp: DEL_SP.test(source) });
  const inner = depth < MAX_DEPTH ? messagesWithin(mail) : [];
  const texts = [own, ...(await Promise.all(inner.map((message) => readMessage(message, depth + 1))))];
  return texts
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join("\n\n");
}

const FLOWED = /^(content-type:(?:[^\r\n]|\r?\n[ \t])*?\bformat\s*=\s*"?)flowed\b/gim;
const DEL_SP = /\bdelsp\s*=\s*"?yes\b/i;
const PLAIN = /^content-type:\s*text\/plain\b/im;

/** `undefined` for what goes beyond the limits of the parser: 256 levels of parts, 2 MB of headers. */
async function parse(source: string): Promise<Email | undefined> {
  const { default: PostalMime } = await import("postal-mime");
  try {
    return await PostalMime.parse(Buffer.from(source, "latin1"), { forceRfc822Attachments: true });
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("Maximum ")) return undefined;
    throw error;
  }
}

/** Messages that are passed on. Those within a report about a delivery are evidence. */
function messagesWithin({ attachments }: Email): string[] {
  if (attachments.some(({ mimeType }) => REPORTS.includes(mimeType))) return [];
  return attachments
    .filter(({ mimeType, disposition }) => mimeType === "message/rfc822" && disposition !== "attachment")
    .map(({ content }) =>
      typeof content === "string" ? content : Buffer.from(new Uint8Array(content)).toString("latin1"),
    );
}

const REPORTS: readonly string[] = [
  "message/delivery-status",
  "message/feedback-report",
  "message/disposition-notification",
];

/** Stands before the code of a character that has been decoded already. */
const ESCAPE = "\x1a";

/** Keeps characters that are decoded from being decoded once more, in the charset that their part names. */
const escapeDecoded = (text: string): string =>
  text.replace(/[\x1a\x80-\uffff]/g, (unit) => `${ESCAPE}${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const restoreDecoded = (text: string): string =>
  text.replace(/\x1a([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/** The type without its parameters, in lower case. */
export const mediaOf = (mediatype: string): string => (mediatype.split(";")[0] ?? "").trim().toLowerCase();

/** A parameter of a media type. */
export const parameter = (mediatype: string, name: string): string | undefined => {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^\\s;]+))`, "i").exec(mediatype);
  return found?.[1] ?? found?.[2];
};

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
