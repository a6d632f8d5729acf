/**
 * A frame is `[u32 length of the rest][u32 length of the head][head: JSON][documents, one after the other]`.
 * In the head a document stands as `{"$bytes": length}`: documents are never escaped, encoded or scanned.
 * An absent value is `null` in JSON; since nothing here means `null`, it comes out as `undefined` again.
 */
const MARK = "$bytes";
const PREFIX = 8;
/** Nothing legitimate is larger; a longer frame means that the other side does not speak this protocol. */
const MAX_FRAME = 1 << 30;

/** A message as buffers to write. */
export function encode(message: unknown): Buffer {
  const parts: Uint8Array[] = [];
  const head = Buffer.from(JSON.stringify(detach(message, parts)));
  const size = parts.reduce((sum, part) => sum + part.byteLength, PREFIX + head.length);
  const frame = Buffer.allocUnsafe(size);
  frame.writeUInt32LE(size - 4, 0);
  frame.writeUInt32LE(head.length, 4);
  frame.set(head, PREFIX);
  let at = PREFIX + head.length;
  for (const part of parts) {
    frame.set(part, at);
    at += part.byteLength;
  }
  return frame;
}

function detach(value: unknown, parts: Uint8Array[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) {
    parts.push(value);
    return { [MARK]: value.byteLength };
  }
  if (Array.isArray(value)) return value.map((item) => detach(item, parts));
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) copy[key] = detach(item, parts);
  return copy;
}

/** The message of a frame without its first length. The documents are views of the frame. */
export function decode(frame: Uint8Array): unknown {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const headEnd = 4 + view.getUint32(0, true);
  const head: unknown = JSON.parse(Buffer.from(frame.buffer, frame.byteOffset + 4, headEnd - 4).toString("utf8"));
  const place = { frame, at: headEnd };
  return attach(head, place);
}

function attach(value: unknown, place: { readonly frame: Uint8Array; at: number }): unknown {
  if (value === null) return undefined;
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => attach(item, place));
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key !== MARK) {
      if (item !== null) copy[key] = attach(item, place);
      continue;
    }
    const start = place.frame.byteOffset + place.at;
    place.at += Number(item);
    return new Uint8Array(place.frame.buffer, start, Number(item));
  }
  return copy;
}

/** Cuts a stream of chunks into frames. `push` returns the messages that are complete now. */
export function createDecoder(): { push(chunk: Buffer): unknown[] } {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = 4;
  const take = (size: number): Buffer => {
    const all = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, held);
    chunks = all.length > size ? [all.subarray(size)] : [];
    held -= size;
    return all.subarray(0, size);
  };
  return {
    push(chunk) {
      chunks.push(chunk);
      held += chunk.length;
      const messages: unknown[] = [];
      let inFrame = needed !== 4;
      while (held >= needed) {
        if (inFrame) {
          messages.push(decode(take(needed)));
          needed = 4;
        } else {
          needed = take(4).readUInt32LE(0);
          if (needed < 5 || needed > MAX_FRAME)
            throw new RangeError(`a frame of ${needed} bytes is not of this protocol`);
        }
        inFrame = !inFrame;
      }
      return messages;
    },
  };
}
