import { type Dialog, decodeBody } from "@vcon-server/vcon";
import { joinFlowed } from "./flowed.ts";
import { htmlText } from "./html.ts";
import { bytesText, mediaOf, parameter, readMail } from "./mail.ts";

/**
 * What a dialog says in words: the text, mail or page in its own body. Markup, attachments and signatures of mails are
 * left out, and so are copies of earlier mails, which are dialogs of their own. `undefined` for media and empty bodies.
 */
export async function readDialogText(dialog: Dialog): Promise<string | undefined> {
  const mediatype = readMediatype(dialog);
  if (!isWritten(mediatype)) return undefined;
  const body = readBody(dialog);
  if (body === undefined) return undefined;
  const text = (await readWords(body, mediatype)).replace(/\r\n?/g, "\n").trim();
  return text === "" ? undefined : withoutCopies(text);
}

const readMediatype = ({ mediatype, type }: Dialog): string =>
  typeof mediatype === "string" ? mediatype : type === "text" ? "text/plain" : "";

/** Texts, mails and pages; calendars and address cards are data. */
const isWritten = (mediatype: string): boolean =>
  /^(?:text\/(?!calendar$|directory$|(?:x-)?vcard$)|multipart\/|message\/rfc822$)/.test(mediaOf(mediatype));

/** Bytes stay bytes: the parts of a mail name their charsets themselves. */
function readBody(dialog: Dialog): Uint8Array | string | undefined {
  const body = decodeBody(dialog);
  if (body?.kind === "text") return body.text;
  if (body?.kind === "bytes") return body.bytes;
  return typeof body?.value === "string" ? body.value : undefined;
}

async function readWords(body: Uint8Array | string, mediatype: string): Promise<string> {
  const media = mediaOf(mediatype);
  if (!media.startsWith("text/")) return readMail({ mediatype, body });
  const text = typeof body === "string" ? body : bytesText(body, parameter(mediatype, "charset"));
  if (media === "text/html") return htmlText(text);
  const flowed = parameter(mediatype, "format")?.toLowerCase() === "flowed";
  return flowed ? joinFlowed(text, { delSp: parameter(mediatype, "delsp")?.toLowerCase() === "yes" }) : text;
}

/** A line after which there is only an earlier mail, in the ways of the usual programs, or a signature. */
const ENDS_MAIL = /^(?:\s*(?:-{2,}\s*original message\s*-{2,}|_{20,})\s*|-- ?)$/i;
const SAYS_WROTE = /^\s*On\s.{4,200}\bwrote:\s*$/;

/**
 * The text without quoted lines, the copy of an earlier mail below it, and the signature; the whole text when nothing
 * else is in it, as with a mail that was only passed on.
 */
export function withoutCopies(text: string): string {
  const lines = text.split("\n");
  const end = lines.findIndex((line, at) => ENDS_MAIL.test(line) || copyFollows(lines, at));
  const own = lines
    .slice(0, end < 0 ? lines.length : end)
    .filter((line) => !line.startsWith(">") && !SAYS_WROTE.test(line))
    .join("\n")
    .trim();
  return /[\p{L}\p{N}]/u.test(own) ? own : text;
}

/** Whether the line says "On … wrote:" and what follows is not marked with `>`, which would tell it from an answer below. */
function copyFollows(lines: readonly string[], at: number): boolean {
  if (!SAYS_WROTE.test(lines[at] ?? "")) return false;
  const next = lines.slice(at + 1, at + 10).find((line) => line.trim() !== "");
  return next !== undefined && !next.startsWith(">");
}
