import { closeSync, openSync, readSync, statSync } from "node:fs";

const HEADER = 32;
const FRAME_HEADER = 24;

/** What the scan of a log needs from its header. */
interface Log {
  readonly salt: Buffer;
  readonly pageSize: number;
  readonly frames: number;
  readonly bigEndian: boolean;
}

/**
 * Looks for damage inside the write-ahead log. SQLite ends its recovery at the first frame with a wrong checksum and
 * drops the rest without a word, which is right for the last, unfinished transaction only. Two finished transactions
 * of the same generation after a wrong frame can be no torn write. Returns what was found.
 */
export function damageInside(file: string): string | undefined {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size < HEADER + FRAME_HEADER) return undefined;
  const handle = openSync(file, "r");
  try {
    const header = readAt(handle, 0, HEADER);
    const magic = header.readUInt32BE(0);
    const bigEndian = magic === 0x377f0683;
    if (!bigEndian && magic !== 0x377f0682) return `${file} does not begin like a log`;
    const pageSize = header.readUInt32BE(8);
    if (pageSize < 512 || pageSize > 65_536) return `${file} has a damaged header`;
    const start = sum(header.subarray(0, 24), [0, 0], bigEndian);
    if (start[0] !== header.readUInt32BE(24) || start[1] !== header.readUInt32BE(28)) {
      return `${file} has a damaged header`;
    }
    const frames = Math.floor((size - HEADER) / (FRAME_HEADER + pageSize));
    return scan(handle, { salt: header.subarray(16, 24), pageSize, frames, bigEndian }, start, file);
  } finally {
    closeSync(handle);
  }
}

function scan(handle: number, log: Log, start: Sum, file: string): string | undefined {
  let running = start;
  let wrong: number | undefined;
  let finishedAfter = 0;
  for (let n = 0; n < log.frames; n++) {
    const frame = readAt(handle, HEADER + n * (FRAME_HEADER + log.pageSize), FRAME_HEADER + log.pageSize);
    // frames of an earlier generation follow the end of this one
    if (!frame.subarray(8, 16).equals(log.salt)) {
      wrong ??= n;
      continue;
    }
    if (wrong === undefined) {
      running = sum(frame.subarray(FRAME_HEADER), sum(frame.subarray(0, 8), running, log.bigEndian), log.bigEndian);
      if (running[0] !== frame.readUInt32BE(16) || running[1] !== frame.readUInt32BE(20)) wrong = n;
    } else if (frame.readUInt32BE(4) !== 0) {
      finishedAfter += 1;
    }
    if (finishedAfter >= 2) return `${file} is damaged in frame ${wrong} of ${log.frames}; later changes would be lost`;
  }
  return undefined;
}

type Sum = readonly [number, number];

/** The checksum of SQLite's file format, section "Checksum Algorithm". */
function sum(bytes: Buffer, from: Sum, bigEndian: boolean): Sum {
  let [first, second] = from;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 8 <= bytes.byteLength; at += 8) {
    first = (first + view.getUint32(at, !bigEndian) + second) >>> 0;
    second = (second + view.getUint32(at + 4, !bigEndian) + first) >>> 0;
  }
  return [first, second];
}

function readAt(handle: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  readSync(handle, buffer, 0, length, position);
  return buffer;
}
