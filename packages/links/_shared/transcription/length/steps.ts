import { setImmediate } from "node:timers/promises";

/**
 * A measurement in small steps. It ends with the seconds of sound, or with undefined where the bytes do not say for
 * certain how many there are.
 */
export type Steps<T = number | undefined> = Generator<void, T, void>;

/** Steps between which the other runs of the process have their turn: a few milliseconds. */
const TURN = 2_048;
/** Steps after which a file made of tiny pieces is given up: a day of the shortest frames there are has fewer. */
const MOST = 12_000_000;

/** Runs a measurement to its end without keeping the event loop; undefined when it takes too long. */
export async function runSteps<T>(steps: Steps<T>, signal: AbortSignal): Promise<T | undefined> {
  for (let count = 1; count <= MOST; count++) {
    const { done, value } = steps.next();
    if (done) return value;
    if (count % TURN === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
  }
  return undefined;
}

/** Reads numbers and names at places that need not be there: beyond the end everything is 0 and "". */
export interface Bytes {
  readonly length: number;
  u8(at: number): number;
  u16(at: number, littleEndian?: boolean): number;
  u32(at: number, littleEndian?: boolean): number;
  u64(at: number, littleEndian?: boolean): number;
  /** Latin-1. */
  text(at: number, length: number): string;
  /** The place of the next such bytes, or the length. */
  find(what: string | number, from: number): number;
  slice(from: number, to?: number): Bytes;
}

/** Opens memory for such reading; nothing is copied. */
export function openBytes(bytes: Uint8Array): Bytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = bytes;
  const isThere = (at: number, size: number) => at >= 0 && at + size <= length;
  return {
    length,
    u8: (at) => bytes[at] ?? 0,
    u16: (at, littleEndian) => (isThere(at, 2) ? view.getUint16(at, littleEndian) : 0),
    u32: (at, littleEndian) => (isThere(at, 4) ? view.getUint32(at, littleEndian) : 0),
    u64: (at, littleEndian) => (isThere(at, 8) ? Number(view.getBigUint64(at, littleEndian)) : 0),
    text: (at, size) => buffer.toString("latin1", Math.min(at, length), Math.min(at + size, length)),
    find(what, from) {
      const found = typeof what === "string" ? buffer.indexOf(what, from, "latin1") : buffer.indexOf(what, from);
      return found < 0 ? length : found;
    },
    slice: (from, to) => openBytes(bytes.subarray(from, to)),
  };
}
