import { measureMpeg } from "./mpeg.ts";
import type { Bytes, Steps } from "./steps.ts";

/** The members of the `fmt ` chunk. */
interface Format {
  readonly codec: number;
  readonly channels: number;
  readonly rate: number;
  readonly bytesPerSecond: number;
  /** Bytes that belong together: a sample of every channel, or a block of a compressing codec. */
  readonly block: number;
  readonly bits: number;
  readonly samplesPerBlock: number;
}

const EXTENSIBLE = 0xfffe;
const MP3 = 0x55;
/** Samples of so many bits, without blocks: G.721, G.723, G.726, OKI and Dialogic ADPCM. */
const PLAIN_ADPCM: readonly number[] = [0x10, 0x14, 0x17, 0x40, 0x45, 0x64];

function readFormat(bytes: Bytes, at: number, size: number): Format {
  const codec = bytes.u16(at, true);
  return {
    codec: codec === EXTENSIBLE && size >= 26 ? bytes.u16(at + 24, true) : codec,
    channels: bytes.u16(at + 2, true),
    rate: bytes.u32(at + 4, true),
    bytesPerSecond: bytes.u32(at + 8, true),
    block: bytes.u16(at + 12, true),
    bits: bytes.u16(at + 14, true),
    samplesPerBlock: size >= 20 ? bytes.u16(at + 18, true) : 0,
  };
}

/** Samples in a block of the codecs that have blocks; 0 for the others. */
function countSamples({ codec, block, channels, samplesPerBlock }: Format): number {
  if (codec === 0x31) return block === 65 ? 320 : 0;
  const [head, first] = codec === 0x02 ? [7, 2] : codec === 0x11 ? [4, 1] : [0, 0];
  if (first === 0) return 0;
  const most = ((block - head * channels) * 2) / channels + first;
  // a block may hold fewer than fit, never more
  return samplesPerBlock > 0 && samplesPerBlock <= most ? samplesPerBlock : samplesPerBlock === 0 ? most : 0;
}

/** Seconds of sound in so many bytes by the codec alone; undefined where the codec does not tell. */
function measureData(format: Format, size: number): number | undefined {
  const { codec, channels, rate, bits, block } = format;
  if (codec === 1 || codec === 3) {
    const whole = channels * Math.ceil(bits / 8);
    return whole === block ? size / whole / rate : undefined;
  }
  if (codec === 6 || codec === 7) return size / channels / rate;
  if (PLAIN_ADPCM.includes(codec)) return bits >= 2 && bits <= 8 ? (size * 8) / bits / channels / rate : undefined;
  const samples = countSamples(format);
  return samples > 0 ? (Math.floor(size / block) * samples) / rate : undefined;
}

/** A codec that is not known: what the header counts and what the size says must agree. */
function compareFacts(format: Format, size: number, fact: number): number | undefined {
  const [counted, bySize] = [fact / format.rate, size / format.bytesPerSecond];
  return Math.abs(counted - bySize) <= 0.05 * bySize ? counted : undefined;
}

interface Header {
  readonly format: Format;
  readonly fact: number;
  /** Bytes of sound by RF64. */
  readonly large: number;
}

/** RIFF, RF64 and BW64, by what is there: recorders that write into a pipe or die do not know the size. */
export function* measureWav(bytes: Bytes): Steps {
  let header: Partial<Header> = {};
  for (let at = 12; at + 8 <= bytes.length; ) {
    yield;
    const [name, size] = [bytes.text(at, 4), bytes.u32(at + 4, true)];
    if (name === "fmt ") header = { ...header, format: readFormat(bytes, at + 8, size) };
    if (name === "fact") header = { ...header, fact: bytes.u32(at + 8, true) };
    if (name === "ds64") header = { ...header, large: bytes.u64(at + 16, true) };
    if (name === "data") return yield* measureChunk(bytes.slice(at + 8), size, header);
    at += 8 + size + (size % 2);
  }
  return undefined;
}

function* measureChunk(rest: Bytes, size: number, { format, fact = 0, large = 0 }: Partial<Header>): Steps {
  if (!format || format.rate === 0 || format.channels === 0) return undefined;
  const said = size === 0xffffffff && large > 0 ? large : size;
  const isWhole = said > 0 && said <= rest.length;
  if (isWhole && !isTail(rest.slice(said + (said % 2)))) return undefined;
  const there = isWhole ? said : rest.length;
  if (format.codec === MP3) return yield* measureMpeg(rest.slice(0, there));
  return measureData(format, there) ?? compareFacts(format, there, fact);
}

/** Returns true when nothing follows the sound, or other chunks do: not more sound, and no second file. */
const isTail = (tail: Bytes): boolean =>
  tail.length < 8 || (/^[\x20-\x7e]{4}$/.test(tail.text(0, 4)) && !/^(RIFF|RF64|BW64)$/.test(tail.text(0, 4)));
