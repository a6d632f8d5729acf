/** Text as it stands in a file. */
export interface DecodedText {
  readonly text: string;
  /** First place at which the file is not valid UTF-8. The text then only serves to report further faults of the file. */
  readonly fault?: EncodingFault;
}

export interface EncodingFault {
  /** Counted from 1. */
  readonly line: number;
  readonly col: number;
  readonly message: string;
  readonly remedy: string;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the bytes of a text file. Everything people write for the server is UTF-8, with or without a byte order mark:
 * a byte that is read as U+FFFD would be a letter lost in silence.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const wide = wideEncoding(bytes);
  if (wide !== undefined) {
    const text = new TextDecoder(wide === "LE" ? "utf-16le" : "utf-16be").decode(bytes);
    return { text, fault: { line: 1, col: 1, message: "the file is UTF-16, not UTF-8", remedy: SAVE } };
  }
  try {
    return { text: UTF8.decode(bytes) };
  } catch {
    const { line, col } = firstBadByte(bytes);
    const message = "the file is not UTF-8 from here on";
    return { text: Buffer.from(bytes).toString("latin1"), fault: { line, col, message, remedy: SAVE } };
  }
}

const SAVE = "save it as UTF-8";

/** Texts for people hold no U+0000, and every second byte of UTF-16 is one wherever they write ASCII. */
function wideEncoding(bytes: Uint8Array): "LE" | "BE" | undefined {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (bytes.length > 1 && first !== 0 && second === 0)) return "LE";
  if ((first === 0xfe && second === 0xff) || (bytes.length > 1 && first === 0 && second !== 0)) return "BE";
  return undefined;
}

function firstBadByte(bytes: Uint8Array): { readonly line: number; readonly col: number } {
  let line = 1;
  let from = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, from);
    const one = bytes.subarray(from, end === -1 ? undefined : end);
    // no letter of UTF-8 holds the byte of a line break, so that the fault lies within one line
    if (!isUtf8(one)) return { line, col: soundLength(one) + 1 };
    if (end === -1) return { line, col: 1 };
    from = end + 1;
    line += 1;
  }
}

/** Letters in front of the first byte that is none. */
function soundLength(bytes: Uint8Array): number {
  let [low, high] = [0, bytes.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isUtf8(bytes.subarray(0, middle), true)) low = middle;
    else high = middle - 1;
  }
  return new TextDecoder().decode(bytes.subarray(0, low), { stream: true }).length;
}

function isUtf8(bytes: Uint8Array, begun = false): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: begun });
    return true;
  } catch {
    return false;
  }
}
