import type { Bytes, Steps } from "./steps.ts";

/** WebM and Matroska: by the times of the blocks, since recorders that stream cannot write a length. */

const EBML = 0x1a45dfa3;
const TRACK = 0xae;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const SCALE = 0x2ad7b1;
const CLUSTER_TIME = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK = 0xa1;
const BLOCK_DURATION = 0x9b;
/** Segment, Info, Tracks, TrackEntry, Cluster, BlockGroup: looked into, whether they say how long they are or not. */
const ENTERED: readonly number[] = [0x18538067, 0x1549a966, 0x1654ae6b, TRACK, 0x1f43b675, 0xa0];

const AUDIO = 2;
/** Seconds between two blocks that sound may leave out; after more, pieces of different recordings are likely. */
const LONGEST_GAP = 30;

interface Element {
  readonly id: number;
  readonly body: number;
  /** Undefined where it is not known. */
  readonly size: number | undefined;
}

/** A number whose first byte says how many bytes it has. */
function readLength(first: number, most: number): number {
  const length = Math.clz32(first) - 23;
  return first === 0 || length > most ? 0 : length;
}

function readNumber(bytes: Bytes, at: number, length: number): number {
  let number = 0;
  for (let byte = 0; byte < length; byte++) number = number * 256 + bytes.u8(at + byte);
  return number;
}

/** The number without the bit that tells its length, which would cost the precision of the longest. */
const readVint = (bytes: Bytes, at: number, length: number): number =>
  (bytes.u8(at) & (0xff >> length)) * 256 ** (length - 1) + readNumber(bytes, at + 1, length - 1);

function readElement(bytes: Bytes, at: number): Element | undefined {
  const idLength = readLength(bytes.u8(at), 4);
  const sizeAt = at + idLength;
  const sizeLength = readLength(bytes.u8(sizeAt), 8);
  if (idLength === 0 || sizeLength === 0) return undefined;
  const size = readVint(bytes, sizeAt, sizeLength);
  return {
    id: readNumber(bytes, at, idLength),
    body: sizeAt + sizeLength,
    // all bits set mean that it is not known
    size: size >= 2 ** (7 * sizeLength) - 1 ? undefined : size,
  };
}

/** The part of a file that has been read; several files may have been joined. */
interface Seen {
  scale: number;
  entry: { number: number; type: number };
  audio: number | undefined;
  cluster: number;
  /** Times of blocks with sound, in units. */
  first: number | undefined;
  last: number;
  blocks: number;
  lastDuration: number;
  isBroken: boolean;
}

const openFile = (): Seen => ({
  scale: 1_000_000,
  entry: { number: 0, type: 0 },
  audio: undefined,
  cluster: 0,
  first: undefined,
  last: 0,
  blocks: 0,
  lastDuration: 0,
  isBroken: false,
});

function takeElement(bytes: Bytes, seen: Seen, { id, body, size = 0 }: Element): void {
  const number = () => readNumber(bytes, body, Math.min(size, 8));
  if (id === SCALE) seen.scale = number();
  else if (id === CLUSTER_TIME) seen.cluster = number();
  else if (id === TRACK) seen.entry = { number: 0, type: 0 };
  else if (id === TRACK_NUMBER) seen.entry.number = number();
  else if (id === TRACK_TYPE) seen.entry.type = number();
  else if (id === BLOCK_DURATION) seen.lastDuration = number();
  else if (id === SIMPLE_BLOCK || id === BLOCK) takeBlock(bytes, seen, body);
  if (seen.entry.type === AUDIO && seen.entry.number > 0) seen.audio ??= seen.entry.number;
}

function takeBlock(bytes: Bytes, seen: Seen, body: number): void {
  const length = readLength(bytes.u8(body), 8);
  const track = readVint(bytes, body, length);
  if (length === 0 || track !== seen.audio) return;
  const time = seen.cluster + ((bytes.u16(body + length) << 16) >> 16);
  const limit = (LONGEST_GAP * 1e9) / seen.scale;
  if (seen.first !== undefined && (time > seen.last + limit || time < seen.last - limit / LONGEST_GAP))
    seen.isBroken = true;
  seen.first = Math.min(seen.first ?? time, time);
  seen.last = Math.max(seen.last, time);
  seen.blocks++;
  seen.lastDuration = 0;
}

/** From the first block to the end of the last, which is as long as the others unless it says otherwise. */
function measureFile({ scale, first, last, blocks, lastDuration, isBroken }: Seen): number | undefined {
  if (first === undefined || isBroken || scale === 0) return undefined;
  const each = blocks > 1 ? (last - first) / (blocks - 1) : 0;
  const end = last + (lastDuration || each);
  return end > first ? ((end - first) * scale) / 1e9 : undefined;
}

/** From the first to the last block with sound, of every file that has been joined. */
export function* measureMatroska(bytes: Bytes): Steps {
  let seen = openFile();
  let [seconds, files] = [0, 0];
  for (let at = 0; at < bytes.length; ) {
    yield;
    const element = readElement(bytes, at);
    if (!element) return undefined;
    const { id, body, size } = element;
    if (id === EBML && files++ > 0) {
      const file = measureFile(seen);
      if (file === undefined) return undefined;
      seconds += file;
      seen = openFile();
    }
    const isEntered = ENTERED.includes(id);
    if (!isEntered && size === undefined) return undefined;
    // the block in which a file was cut
    if (!isEntered && body + (size ?? 0) > bytes.length) break;
    takeElement(bytes, seen, element);
    at = isEntered ? body : body + (size ?? 0);
  }
  const file = measureFile(seen);
  return file === undefined ? undefined : seconds + file;
}
