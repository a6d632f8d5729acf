/** The beginning of a text in so many UTF-8 bytes at most, without half characters. */
export function cut(text: string, max: number): string {
  const whole = text.toWellFormed();
  // a character takes three bytes at most for each of its code units
  if (whole.length * 3 <= max) return whole;
  const bytes = Buffer.from(whole.slice(0, max));
  return bytes.length <= max ? bytes.toString() : bytes.toString("utf8", 0, boundary(bytes, max));
}

/** A text in parts of so many UTF-8 bytes at most; together they are the text, and few of them end inside a word. */
export function partsOf(text: string, max: number): readonly string[] {
  const bytes = Buffer.from(text.toWellFormed());
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = endOf(bytes, start, max);
    parts.push(bytes.toString("utf8", start, end));
    start = end;
  }
  return parts;
}

const SPACE = 0x20;

function endOf(bytes: Buffer, start: number, max: number): number {
  const last = start + max;
  if (last >= bytes.length) return bytes.length;
  const space = bytes.lastIndexOf(SPACE, last - 1);
  return space > start + max / 2 ? space + 1 : boundary(bytes, last);
}

/** The place at or before `end` where a character begins. */
function boundary(bytes: Buffer, end: number): number {
  let at = end;
  while (at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--;
  return at;
}
