/** One element of a BSON document: its type and the bytes of its value, unread. */
export interface Element {
  readonly type: number;
  readonly value: Uint8Array;
}

export const DOCUMENT = 3;
export const ARRAY = 4;

/** The elements of a BSON document by name, in order, so that what is stored keeps every byte. Throws when malformed. */
export function elementsOf(bytes: Uint8Array): Map<string, Element> {
  const view = viewOf(bytes);
  const end = bytes.length - 1;
  if (bytes.length < 5 || view.getInt32(0, true) !== bytes.length || bytes[end] !== 0) throw malformed();
  const elements = new Map<string, Element>();
  for (let at = 4; at < end; ) {
    const type = view.getInt8(at);
    const nameEnd = cstringEnd(bytes, at + 1);
    const start = nameEnd + 1;
    const size = sizeOf(type, bytes, start);
    if (start + size > end) throw malformed();
    elements.set(TEXT.decode(bytes.subarray(at + 1, nameEnd)), { type, value: bytes.subarray(start, start + size) });
    at = start + size;
  }
  return elements;
}

/** A BSON document of these elements. */
export function documentOf(elements: Iterable<readonly [string, Element]>): Uint8Array {
  const parts = [...elements].flatMap(([name, { type, value }]) => [
    Buffer.from([type]),
    Buffer.from(`${name}\0`),
    value,
  ]);
  const size = parts.reduce((sum, { length }) => sum + length, 5);
  const length = Buffer.alloc(4);
  length.writeInt32LE(size);
  return Buffer.concat([length, ...parts, Buffer.alloc(1)], size);
}

/** The bytes of a BSON array of documents. */
export const arrayOf = (documents: readonly Uint8Array[]): Element => ({
  type: ARRAY,
  value: documentOf(documents.map((value, index) => [String(index), { type: DOCUMENT, value }])),
});

/** Every element of a document and of those inside it, with the level it is on; the document's own are on level 1. */
export function* allElements(bytes: Uint8Array, level = 1): Generator<{ name: string; level: number }> {
  for (const [name, { type, value }] of elementsOf(bytes)) {
    yield { name, level };
    if (type === DOCUMENT || type === ARRAY) yield* allElements(value, level + 1);
  }
}

const TEXT = new TextDecoder("utf-8", { fatal: true });
const malformed = (): Error => new Error("malformed BSON");
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function cstringEnd(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(0, from);
  if (end < 0) throw malformed();
  return end;
}

/** Bytes of values whose size their type says. */
const FIXED: Readonly<Record<number, number>> = {
  1: 8,
  6: 0,
  7: 12,
  8: 1,
  9: 8,
  10: 0,
  16: 4,
  17: 8,
  18: 8,
  19: 16,
  [-1]: 0,
  127: 0,
};

function sizeOf(type: number, bytes: Uint8Array, at: number): number {
  const fixed = FIXED[type];
  if (fixed !== undefined) return fixed;
  if (type === 11) return cstringEnd(bytes, cstringEnd(bytes, at) + 1) + 1 - at;
  if (at + 4 > bytes.length) throw malformed();
  const length = viewOf(bytes).getInt32(at, true);
  if (length < 0) throw malformed();
  switch (type) {
    case DOCUMENT:
    case ARRAY:
    case 15:
      return length;
    case 2:
    case 13:
    case 14:
      return 4 + length;
    case 5:
      return 5 + length;
    case 12:
      return 4 + length + 12;
    default:
      throw malformed();
  }
}
