const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * Text with `\u` escapes for what a terminal or a log viewer would obey, line breaks apart: services and documents have
 * a say in messages, and people read those with `curl`.
 */
export const printable = (text: string): string =>
  text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, escaped);

/** The same as one line. */
export const printableLine = (text: string): string => printable(text).replaceAll("\n", escaped);
