import { VconError } from "@vcon-server/core";

/**
 * A frame is `[u32 length of the rest][u32 length of the head][head: JSON][documents, one after the other]`.
 * In the head a document stands as `{"$bytes": length}`: documents are never escaped, encoded or scanned.
 * An absent value is `null` in JSON; since nothing here means `null`, it comes out as `undefined` again.
 */
const MARK = "$bytes";
const PREFIX = 8;
/** Nothing legitimate is larger; a longer frame means that the other side does not speak this protocol. */
const MAX_FRAME = 1 << 29;

/** Bytes of documents in one answer, unless a single document has more; the rest comes with the next request. */
export const ANSWER_BYTES = 32 * 1024 * 1024;

/** A message as buffers to write, one after the other; the documents among them are the given ones, not copies. */
export function encode(message: unknown): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  const head = JSON.stringify(detach(message, parts));
  const length = Buffer.byteLength(head);
  const start = Buffer.allocUnsafe(PREFIX + length);
  const rest = parts.reduce((sum, part) => sum + part.byteLength, PREFIX - 4 + length);
  if (rest > MAX_FRAME) {
    const message = `a message of ${rest} bytes is more than the embedded backend carries (${MAX_FRAME})`;
    throw new VconError("VCON_INPUT_TOO_LARGE", message);
  }
  start.writeUInt32LE(rest, 0);
  start.writeUInt32LE(length, 4);
  start.write(head, PREFIX);
  return [start, ...parts];
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
export function createDecoder(): { push(chunk: Uint8Array): unknown[] } {
  const prefix = Buffer.alloc(4);
  let target: Uint8Array = prefix;
  let filled = 0;
  /** Called when the target is full: a length gives the frame to fill next, a frame gives a message. */
  const turn = (messages: unknown[]): void => {
    filled = 0;
    if (target !== prefix) {
      messages.push(decode(target));
      target = prefix;
      return;
    }
    const size = prefix.readUInt32LE(0);
    if (size < 5 || size > MAX_FRAME) throw new RangeError(`a frame of ${size} bytes is not of this protocol`);
    target = Buffer.allocUnsafe(size);
  };
  return {
    push(chunk) {
      const messages: unknown[] = [];
      for (let at = 0; at < chunk.byteLength; ) {
        const piece = chunk.subarray(at, at + target.byteLength - filled);
        target.set(piece, filled);
        filled += piece.byteLength;
        at += piece.byteLength;
        if (filled === target.byteLength) turn(messages);
      }
      return messages;
    },
  };
}
