import { samplesInOpus } from "./opus.ts";
import type { Bytes, Steps } from "./steps.ts";

/** The facts in the first packet of a stream. */
interface Codec {
  /** Positions per second. */
  readonly rate: number;
  /** Positions a packet moves on at most. */
  readonly mostPerPacket: number;
  /** Packets before the sound. */
  readonly headers: number;
  /** Positions before what is heard. */
  readonly skip: number;
  readonly isOpus: boolean;
}

/** Reads the first packet; undefined for video, subtitles and what is not known. */
function readCodec(bytes: Bytes, at: number): Codec | undefined {
  const codec = { skip: 0, isOpus: false };
  const name = bytes.text(at, 8);
  if (name === "OpusHead")
    return { rate: 48_000, mostPerPacket: 5_760, headers: 2, skip: bytes.u16(at + 10, true), isOpus: true };
  if (name.startsWith("\x01vorbis"))
    return { ...codec, rate: bytes.u32(at + 12, true), mostPerPacket: 2 ** (bytes.u8(at + 28) >> 4) / 2, headers: 3 };
  if (name === "Speex   ")
    return {
      ...codec,
      rate: bytes.u32(at + 36, true),
      mostPerPacket: bytes.u32(at + 56, true) * Math.max(1, bytes.u32(at + 64, true)),
      headers: 2 + bytes.u32(at + 68, true),
    };
  if (name.startsWith("\x7fFLAC"))
    return {
      ...codec,
      rate: bytes.u32(at + 27) >>> 12,
      mostPerPacket: bytes.u16(at + 19),
      headers: 1 + bytes.u16(at + 7),
    };
  return undefined;
}

interface Page {
  readonly at: number;
  readonly isFirst: boolean;
  /** Position at the end of the last packet that ends here; negative when none does. */
  readonly position: number;
  readonly serial: number;
  /** Lengths of the packets that end in this page, as far as they are in it. */
  readonly packets: readonly number[];
  readonly body: number;
  readonly end: number;
}

function readPage(bytes: Bytes, at: number): Page | undefined {
  const count = bytes.u8(at + 26);
  const body = at + 27 + count;
  const packets: number[] = [];
  let [end, open] = [body, 0];
  for (let segment = 0; segment < count; segment++) {
    const size = bytes.u8(at + 27 + segment);
    end += size;
    open += size;
    if (size < 255) {
      packets.push(open);
      open = 0;
    }
  }
  if (bytes.text(at, 4) !== "OggS" || end > bytes.length) return undefined;
  const high = bytes.u32(at + 10, true);
  const position = high >= 2 ** 31 ? -1 : bytes.u64(at + 6, true);
  const serial = bytes.u32(at + 14, true);
  return { at, isFirst: (bytes.u8(at + 5) & 2) !== 0, position, serial, packets, body, end };
}

/** One stream of sound on its way. */
interface Stream {
  readonly codec: Codec;
  headersLeft: number;
  packets: number;
  /** Position at which the sound begins, once known; after an estimate the bytes of the page it was made for. */
  start: number | undefined;
  /** A first page whose own length is to be estimated by the others. */
  guess: { readonly position: number; readonly size: number } | undefined;
  last: number;
  size: number;
  /** Positions that run back, or on further than the packets can tell. */
  isBroken: boolean;
}

const openStream = (codec: Codec): Stream => ({
  codec,
  headersLeft: codec.headers,
  packets: 0,
  start: undefined,
  guess: undefined,
  last: 0,
  size: 0,
  isBroken: false,
});

function takePage(bytes: Bytes, stream: Stream, page: Page): void {
  if (stream.headersLeft > 0) {
    stream.headersLeft -= page.packets.length;
    return;
  }
  stream.packets += page.packets.length;
  stream.size += page.end - page.at;
  if (page.position < 0) return;
  const most = stream.packets * stream.codec.mostPerPacket;
  if (stream.start === undefined) begin(bytes, stream, page);
  else if (page.position < stream.last || page.position - stream.last > most) stream.isBroken = true;
  stream.last = page.position;
  stream.packets = 0;
}

/** A stream that was tapped on its way begins far from 0. */
function begin(bytes: Bytes, stream: Stream, { position, packets, body }: Page): void {
  const { codec } = stream;
  const most = stream.packets * codec.mostPerPacket;
  if (codec.isOpus && packets.length === stream.packets) {
    const samples = samplesInOpus(bytes, body, packets);
    stream.start = Math.max(0, position - samples);
  } else if (position <= most) stream.start = 0;
  else {
    stream.start = position;
    stream.guess = { position, size: stream.size };
  }
}

function measureStream({ codec, start, guess, last, size, isBroken }: Stream): number | undefined {
  if (start === undefined || isBroken || codec.rate === 0) return undefined;
  if (!guess) return (last - start - (start === 0 ? codec.skip : 0)) / codec.rate;
  // the first page is as long as its size by that of the others
  const others = size - guess.size;
  return others > 0 ? ((last - guess.position) * (1 + guess.size / others)) / codec.rate : undefined;
}

/** The longest stream of a chain; undefined when one of them does not say. */
function measureChain(streams: ReadonlyMap<number, Stream>): number | undefined {
  const all = [...streams.values()].map(measureStream);
  return all.length === 0 || all.includes(undefined) ? undefined : Math.max(...all.map((one) => one ?? 0));
}

/** Of a file of pages no more than this part is something else. */
const JUNK = 0.05;

/** Streams at a time: real files have one or two, and a foreign one may have millions. */
const MOST_STREAMS = 64;

/** Last minus first position of every chain, one after the other. */
export function* measureOgg(bytes: Bytes): Steps {
  let streams = new Map<number, Stream>();
  let [seconds, junk, isInSound] = [0, 0, false];
  for (let at = 0; at < bytes.length; ) {
    yield;
    const page = readPage(bytes, at);
    if (!page) {
      const next = bytes.find("OggS", at + 1);
      // the page in which a file was cut is no junk
      if (next < bytes.length) junk += next - at;
      at = next;
      continue;
    }
    at = page.end;
    if (page.isFirst && isInSound) {
      const chain = measureChain(streams);
      if (chain === undefined) return undefined;
      seconds += chain;
      streams = new Map();
    }
    isInSound = !page.isFirst;
    const codec = page.isFirst ? readCodec(bytes, page.body) : undefined;
    if (streams.size === MOST_STREAMS) return undefined;
    if (codec) streams.set(page.serial, openStream(codec));
    const stream = streams.get(page.serial);
    if (stream) takePage(bytes, stream, page);
  }
  const chain = measureChain(streams);
  return chain === undefined || junk > bytes.length * JUNK ? undefined : seconds + chain;
}
