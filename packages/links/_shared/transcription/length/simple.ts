import type { Bytes, Steps } from "./steps.ts";

const AMR_SIZES = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];
const AMR_WIDE_SIZES = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];

/** AMR (RFC 4867 section 5): frames of 20 ms, each with its size in its first byte. */
export function* measureAmr(bytes: Bytes): Steps {
  const isWide = bytes.text(0, 9) === "#!AMR-WB\n";
  if (!isWide && bytes.text(0, 6) !== "#!AMR\n") return undefined;
  let [at, frames] = [isWide ? 9 : 6, 0];
  while (at < bytes.length) {
    yield;
    const head = bytes.u8(at);
    // bits that are always 0
    if ((head & 0x83) !== 0) return undefined;
    at += 1 + ((isWide ? AMR_WIDE_SIZES : AMR_SIZES)[(head >> 3) & 15] ?? 0);
    if (at <= bytes.length) frames++;
  }
  return frames * 0.02;
}

/** Bytes of a sample by the number an AU file has for its encoding. */
const AU_BYTES: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1 };

/** AU: what is there, unless the header says less. */
export function* measureAu(bytes: Bytes): Steps {
  const [start, size, encoding, rate, channels] = [4, 8, 12, 16, 20].map((at) => bytes.u32(at));
  const each = AU_BYTES[encoding ?? 0];
  if (!start || !size || !rate || !channels || each === undefined || start > bytes.length) return undefined;
  return Math.min(size, bytes.length - start) / each / channels / rate;
}

/** Bytes of a sample by the compression of an AIFF-C file; the others have that of the header. */
const AIFF_BYTES: Readonly<Record<string, number>> = { ulaw: 1, ULAW: 1, alaw: 1, ALAW: 1, fl32: 4, FL32: 4, fl64: 8 };

interface Common {
  readonly channels: number;
  readonly each: number;
  readonly rate: number;
}

function readCommon(bytes: Bytes, at: number, isCompressed: boolean): Common {
  const [exponent, mantissa] = [(bytes.u16(at + 8) & 0x7fff) - 16_383, bytes.u32(at + 10)];
  const compression = isCompressed ? bytes.text(at + 18, 4) : "NONE";
  const isPlain = /^(NONE|twos|sowt|raw )$/.test(compression);
  const each = isPlain ? Math.ceil(bytes.u16(at + 6) / 8) : (AIFF_BYTES[compression] ?? 0);
  return { channels: bytes.u16(at), each, rate: mantissa * 2 ** (exponent - 31) };
}

/** AIFF and AIFF-C: the sound that is there, unless the header says less. */
export function* measureAiff(bytes: Bytes): Steps {
  let common: Common | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    yield;
    const [name, size] = [bytes.text(at, 4), bytes.u32(at + 4)];
    if (name === "COMM") common = readCommon(bytes, at + 8, bytes.text(8, 4) === "AIFC");
    if (name === "SSND") {
      if (!common || common.each * common.channels * common.rate <= 0) return undefined;
      const there = Math.min(size - 8, bytes.length - at - 16);
      return there / common.each / common.channels / common.rate;
    }
    at += 8 + size + (size % 2);
  }
  return undefined;
}
