/**
 * Control characters, line and paragraph separators, and what changes the order or the look of a text without being seen:
 * marks of direction, blanks without width, tags. Joiners (U+200C, U+200D) stay: Persian, Hindi and emoji need them.
 */
const UNSEEN =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

const escaped = (char: string): string =>
  Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");

/**
 * Text with `\u` escapes for what a terminal or a log viewer would obey, line breaks apart: services and documents have
 * a say in messages, and people read those with `curl`.
 */
export const printable = (text: string): string => text.replace(UNSEEN, escaped);

/** The same as one line. */
export const printableLine = (text: string): string => printable(text).replaceAll("\n", escaped);
