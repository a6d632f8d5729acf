/** Where a text may end, best first. */
const BOUNDARIES: readonly RegExp[] = [/\n\s*\n/g, /\n/g, /[.!?…。！？]["'”’)]?\s/g, /\s/g];
/** A boundary in the last fifth is near enough. */
const NEAR = 0.8;

/**
 * The beginning of a text, of so many characters (UTF-16 units) at most, ended between paragraphs, lines, sentences or
 * words where one of these is near.
 */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const start = Math.floor(max * NEAR);
  const near = text.slice(start, max);
  for (const boundary of BOUNDARIES) {
    const last = [...near.matchAll(boundary)].at(-1);
    if (last && start + last.index > 0) return text.slice(0, start + last.index + last[0].trimEnd().length);
  }
  // half of a character is none
  const whole = /[\ud800-\udbff]/.test(text[max - 1] ?? "") ? max - 1 : max;
  return text.slice(0, whole);
}
