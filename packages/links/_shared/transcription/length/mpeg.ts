import type { Bytes, Steps } from "./steps.ts";

/** MP3 and the other layers of MPEG audio, and AAC in ADTS: frames one after the other, each with its own length. */

interface Frame {
  readonly size: number;
  readonly samples: number;
  readonly rate: number;
  /** The index of the file that some encoders put into the first frame; nothing is heard in it. */
  readonly isIndex: boolean;
}

const KBITS = {
  one: [
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  two: [
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ],
} as const;
const RATES = [44_100, 48_000, 32_000];
const ADTS_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];

/** The frame that begins here; undefined when none does. */
export function readFrame(bytes: Bytes, at: number): Frame | undefined {
  const second = bytes.u8(at + 1);
  if (bytes.u8(at) !== 0xff || (second & 0xe0) !== 0xe0) return undefined;
  return (second & 0xf6) === 0xf0 ? readAdts(bytes, at) : readLayer(bytes, at);
}

function readAdts(bytes: Bytes, at: number): Frame | undefined {
  const rate = ADTS_RATES[(bytes.u8(at + 2) >> 2) & 15];
  const size = ((bytes.u8(at + 3) & 3) << 11) | (bytes.u8(at + 4) << 3) | (bytes.u8(at + 5) >> 5);
  if (rate === undefined || size < 7) return undefined;
  return { size, rate, samples: 1_024 * ((bytes.u8(at + 6) & 3) + 1), isIndex: false };
}

function readLayer(bytes: Bytes, at: number): Frame | undefined {
  const [second, third] = [bytes.u8(at + 1), bytes.u8(at + 2)];
  const version = (second >> 3) & 3;
  const layer = 4 - ((second >> 1) & 3);
  const kbits = KBITS[version === 3 ? "one" : "two"][layer - 1]?.[(third >> 4) - 1];
  const base = RATES[(third >> 2) & 3];
  if (version === 1 || kbits === undefined || base === undefined) return undefined;
  const rate = version === 3 ? base : version === 2 ? base / 2 : base / 4;
  const padding = (third >> 1) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 3 ? 576 : 1_152;
  const size =
    layer === 1
      ? (Math.floor((12_000 * kbits) / rate) + padding) * 4
      : Math.floor((samples * 125 * kbits) / rate) + padding;
  const isMono = bytes.u8(at + 3) >> 6 === 3;
  const side = version === 3 ? (isMono ? 17 : 32) : isMono ? 9 : 17;
  const isIndex = layer === 3 && /^(Xing|Info)$/.test(bytes.text(at + 4 + side, 4));
  return { size, rate, samples, isIndex: isIndex || (layer === 3 && bytes.text(at + 36, 4) === "VBRI") };
}

/** Bytes of a tag that begins here; 0 when none does. */
export function readTag(bytes: Bytes, at: number): number {
  const first = bytes.u8(at);
  if (first === 0x49 && bytes.text(at, 3) === "ID3") {
    const size = [6, 7, 8, 9].reduce((sum, one) => (sum << 7) | (bytes.u8(at + one) & 0x7f), 0);
    return size + ((bytes.u8(at + 5) & 0x10) === 0 ? 10 : 20);
  }
  if (first === 0x54 && bytes.text(at, 3) === "TAG") return 128;
  if (first !== 0x41 || bytes.text(at, 8) !== "APETAGEX") return 0;
  return bytes.u32(at + 12, true) + ((bytes.u8(at + 23) & 0x20) === 0 ? 0 : 32);
}

/** Of a file of frames at least this part is frames. */
const MOSTLY = 0.9;

/**
 * Counts the frames, whatever an index at the beginning says: joined files have that of the first part, cut ones that
 * of the whole.
 */
export function* measureMpeg(bytes: Bytes): Steps {
  const { length } = bytes;
  let [at, seconds, framed, tagged] = [0, 0, 0, 0];
  // a chance pattern in damaged bytes is no frame: another follows on a real one
  const isFollowed = (next: number) =>
    next === length || readFrame(bytes, next) !== undefined || readTag(bytes, next) > 0;
  let isInStep = false;
  while (at < length) {
    yield;
    const tag = readTag(bytes, at);
    if (tag > 0) {
      tagged += Math.min(tag, length - at);
      at += tag;
      continue;
    }
    const frame = readFrame(bytes, at);
    if (frame && (isInStep || isFollowed(at + frame.size))) {
      if (at + frame.size > length) break;
      if (!frame.isIndex) seconds += frame.samples / frame.rate;
      framed += frame.size;
      at += frame.size;
      isInStep = isFollowed(at);
    } else {
      isInStep = false;
      at = bytes.find(0xff, at + 1);
    }
  }
  const rest = length - tagged;
  return seconds > 0 && framed >= rest * MOSTLY ? seconds : undefined;
}
