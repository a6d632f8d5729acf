import { type Dialog, decodeBody } from "@vcon-server/vcon";
import { htmlText } from "./html.ts";
import { bytesText, mailText, mediaOf, parameter } from "./mail.ts";

/**
 * What a dialog says in words: the text, mail or page in its own body. Markup, attachments and signatures of mails are
 * left out, and so are copies of earlier mails, which are dialogs of their own. `undefined` for media and empty bodies.
 */
export function textOfDialog(dialog: Dialog): string | undefined {
  const mediatype =
    typeof dialog.mediatype === "string" ? dialog.mediatype : dialog.type === "text" ? "text/plain" : "";
  const media = mediaOf(mediatype);
  if (!/^(?:text|multipart|message)\//.test(media)) return undefined;
  const source = sourceOf(dialog, mediatype);
  if (source === undefined) return undefined;
  const text = readable(source, mediatype, media).replace(/\r\n?/g, "\n").trim();
  return text === "" ? undefined : withoutCopies(text);
}

function sourceOf(dialog: Dialog, mediatype: string): string | undefined {
  const body = decodeBody(dialog);
  if (body?.kind === "text") return body.text;
  if (body?.kind === "bytes") return bytesText(body.bytes, parameter(mediatype, "charset"));
  return typeof body?.value === "string" ? body.value : undefined;
}

function readable(source: string, mediatype: string, media: string): string {
  if (media === "text/html") return htmlText(source);
  return media.startsWith("text/") ? source : mailText({ mediatype, body: source });
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
