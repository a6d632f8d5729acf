import type { Bytes, Steps } from "./steps.ts";

/** Bytes at the end in which the last frame is looked for. */
const TAIL = 262_144;

/** Blocks of metadata before the sound: real files have a few, and a foreign one may have millions. */
const MOST_BLOCKS = 256;

/** Facts that all frames share. */
interface Info {
  readonly rate: number;
  /** Samples of a frame, where all but the last have as many. */
  readonly block: number;
  readonly start: number;
}

/** The metadata blocks; undefined when they are not whole. */
function readInfo(bytes: Bytes): Info | undefined {
  const [least, most, rate] = [bytes.u16(8), bytes.u16(10), bytes.u32(18) >>> 12];
  let at = 4;
  for (let [isLast, blocks] = [false, 0]; !isLast; blocks++) {
    if (at + 4 > bytes.length || blocks === MOST_BLOCKS) return undefined;
    isLast = (bytes.u8(at) & 0x80) !== 0;
    at += 4 + (bytes.u32(at) & 0xffffff);
  }
  return rate === 0 ? undefined : { rate, block: least === most ? most : 0, start: at };
}

/** A frame by the position of its first sample. */
interface Frame {
  readonly position: number;
  readonly samples: number;
}

/** Samples of a frame by its head; those with a number of their own stand behind the position. */
function countSamples(bytes: Bytes, code: number, after: number): number {
  if (code === 6) return bytes.u8(after) + 1;
  if (code === 7) return bytes.u16(after) + 1;
  if (code === 1) return 192;
  return code < 6 ? 576 * 2 ** (code - 2) : 256 * 2 ** (code - 8);
}

/** The frame that begins here, its head checked by the sum that closes it; undefined when none does. */
function readFrame(bytes: Bytes, at: number, { block }: Info): Frame | undefined {
  const isVariable = bytes.u8(at + 1) === 0xf9;
  if (bytes.u8(at) !== 0xff || (!isVariable && bytes.u8(at + 1) !== 0xf8)) return undefined;
  const [sizes, kind] = [bytes.u8(at + 2), bytes.u8(at + 3)];
  if (sizes >> 4 === 0 || (sizes & 15) === 15 || (kind & 1) !== 0) return undefined;
  const first = bytes.u8(at + 4);
  const more = first < 0x80 ? 0 : Math.clz32(~(first << 24)) - 1;
  let number = first < 0x80 ? first : first & (0x3f >> more);
  for (let byte = 1; byte <= more; byte++) number = number * 64 + (bytes.u8(at + 4 + byte) & 0x3f);
  const blockBytes = sizes >> 4 === 6 ? 1 : sizes >> 4 === 7 ? 2 : 0;
  const rateBytes = (sizes & 15) === 12 ? 1 : (sizes & 15) > 12 ? 2 : 0;
  const length = 5 + more + blockBytes + rateBytes;
  if (sumHead(bytes, at, length) !== bytes.u8(at + length)) return undefined;
  const position = isVariable ? number : number * block;
  return { position, samples: countSamples(bytes, sizes >> 4, at + 5 + more) };
}

/** CRC-8 with the polynomial 7. */
function sumHead(bytes: Bytes, at: number, length: number): number {
  let sum = 0;
  for (let byte = 0; byte < length; byte++) {
    sum ^= bytes.u8(at + byte);
    for (let bit = 0; bit < 8; bit++) sum = sum & 0x80 ? ((sum << 1) ^ 7) & 0xff : sum << 1;
  }
  return sum;
}

/** From the position of the first frame to that of the last, which must be as far into the file as it says. */
export function* measureFlac(bytes: Bytes): Steps {
  const info = readInfo(bytes);
  if (!info) return undefined;
  const first = readFrame(bytes, info.start, info);
  if (!first) return undefined;
  const found: Frame[] = [];
  for (let at = bytes.find(0xff, Math.max(info.start, bytes.length - TAIL)); at < bytes.length; ) {
    yield;
    const frame = readFrame(bytes, at, info);
    if (frame) found.push(frame);
    at = bytes.find(0xff, at + 1);
  }
  // a chance pattern is not where the frame before it leads to
  const last = found.findLast(({ position }, at) => {
    const before = found[at - 1] ?? first;
    return before === found[at] || position === before.position + before.samples || position === first.position;
  });
  return last && (last.position + last.samples - first.position) / info.rate;
}
