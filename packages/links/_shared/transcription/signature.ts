/** What bytes turn out to be. */
export type Signature =
  | { readonly kind: "media"; readonly mediatype: string; readonly extension: string }
  | { readonly kind: "other"; readonly what: string };

const MEDIA: readonly (readonly [pattern: RegExp, mediatype: string, extension: string])[] = [
  [/^(RIFF|RF64|BW64).{4}WAVE/s, "audio/wav", "wav"],
  [/^fLaC/, "audio/flac", "flac"],
  [/^OggS/, "audio/ogg", "ogg"],
  [/^\x1aE\xdf\xa3/, "audio/webm", "webm"],
  [/^.{4}ftyp(M4A|M4B)/s, "audio/mp4", "m4a"],
  [/^.{4}ftyp/s, "video/mp4", "mp4"],
  [/^ID3|^\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][^\xf0-\xff]/, "audio/mpeg", "mp3"],
  [/^\xff[\xf0\xf1\xf8\xf9]/, "audio/aac", "aac"],
  [/^#!AMR/, "audio/amr", "amr"],
  [/^FORM.{4}AIF/s, "audio/aiff", "aiff"],
  [/^\.snd/, "audio/basic", "au"],
];

const OTHERS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^%PDF/, "a PDF"],
  [/^PK[\x03\x05]/, "a ZIP archive"],
  [/^\x1f\x8b/, "compressed by gzip"],
  [/^\x89PNG|^GIF8|^\xff\xd8\xff/, "an image"],
];

/** Bytes that are looked at. */
const HEAD = 512;

/** Recognises common media by their first bytes, and what certainly is none; undefined when it may be anything. */
export function signatureOf(bytes: Uint8Array): Signature | undefined {
  const head = bytes.subarray(0, HEAD);
  const start = Buffer.from(head.subarray(0, 16)).toString("latin1");
  const media = MEDIA.find(([pattern]) => pattern.test(start));
  if (media) return { kind: "media", mediatype: media[1], extension: media[2] };
  const other = OTHERS.find(([pattern]) => pattern.test(start))?.[1] ?? textIn(head);
  return other === undefined ? undefined : { kind: "other", what: other };
}

/** Audio without any control character or broken UTF-8 in its first bytes is text. */
function textIn(head: Uint8Array): string | undefined {
  if (head.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127)) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: head.length === HEAD });
    return /^\s*<(!doctype|html|\?xml|[a-z]+[\s>])/i.test(text) ? "a web page or XML" : "text";
  } catch {
    return undefined;
  }
}
