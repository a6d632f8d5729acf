const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** Value of each ASCII character in either alphabet, -1 for others. */
const VALUES = Int8Array.from({ length: 128 }, (_, code) => {
  const letter = String.fromCharCode(code);
  return letter === "+" ? 62 : letter === "/" ? 63 : ALPHABET.indexOf(letter);
});

/** Base64url without padding (RFC 7515 section 2). */
export function encodeBase64url(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const bits = (bytes[at]! << 16) | ((left > 1 ? bytes[at + 1]! : 0) << 8) | (left > 2 ? bytes[at + 2]! : 0);
    const quad = ALPHABET[bits >> 18]! + ALPHABET[(bits >> 12) & 63]!;
    parts.push(
      left > 2
        ? quad + ALPHABET[(bits >> 6) & 63]! + ALPHABET[bits & 63]!
        : left > 1
          ? quad + ALPHABET[(bits >> 6) & 63]!
          : quad,
    );
  }
  return parts.join("");
}

/** Bytes of base64url or standard base64, padded or not, with or without line breaks; `undefined` for anything else. */
export function decodeBase64(text: string): Uint8Array | undefined {
  let end = text.length;
  while (end > 0 && (isSpace(text.charCodeAt(end - 1)) || text[end - 1] === "=")) end--;
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  let [filled, bits, pending] = [0, 0, 0];
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (isSpace(code)) continue;
    const value = code < 128 ? VALUES[code]! : -1;
    if (value < 0) return undefined;
    bits = ((bits << 6) | value) & 0xffffff;
    pending += 6;
    if (pending < 8) continue;
    pending -= 8;
    bytes[filled++] = (bits >> pending) & 0xff;
  }
  return pending >= 6 ? undefined : bytes.subarray(0, filled);
}

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

/** Whether the text is base64url as RFC 7515 wants it: no padding, no other alphabet, a possible length. */
export const isBase64url = (text: string): boolean => text.length % 4 !== 1 && !/[^A-Za-z0-9_-]/.test(text);
