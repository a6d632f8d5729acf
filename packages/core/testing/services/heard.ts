import { createHash } from "node:crypto";

/** What a fake of a speech service hears in the audio it gets. */
export interface Heard {
  readonly bytes: number;
  /** SHA-256 in lower-case hex. */
  readonly sha256: string;
  readonly seconds: number;
  readonly channels: number;
}

/** Reads WAV and MP3 as far as needed; other containers count as a second. `undefined` for what no decoder would take. */
export function heardIn(audio: Uint8Array): Heard | undefined {
  const bytes = Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength);
  const format = wavFormat(bytes) ?? mp3Format(bytes) ?? (isContainer(bytes) ? { seconds: 1, channels: 1 } : undefined);
  if (format === undefined) return undefined;
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex"), ...format };
}

type Format = Pick<Heard, "seconds" | "channels">;

const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;

function wavFormat(bytes: Buffer): Format | undefined {
  if (bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.length < 36) return undefined;
  const [channels, bytesPerSecond] = [bytes.readUInt16LE(22), bytes.readUInt32LE(28)];
  const data = bytes.indexOf("data", 36, "latin1");
  if (data < 0 || bytesPerSecond === 0) return undefined;
  return { seconds: rounded((bytes.length - data - 8) / bytesPerSecond), channels };
}

const KBITS = {
  1: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;

/** Layer III of a constant bit rate. */
function mp3Format(bytes: Buffer): Format | undefined {
  const tag = bytes.toString("latin1", 0, 3) === "ID3" && bytes.length > 10 ? 10 + syncSafe(bytes) : 0;
  if (bytes.length < tag + 4 || bytes[tag] !== 0xff || ((bytes[tag + 1] ?? 0) & 0xe6) !== 0xe2) return undefined;
  const version = ((bytes[tag + 1] ?? 0) & 0x18) === 0x18 ? 1 : 2;
  const kbits = KBITS[version][((bytes[tag + 2] ?? 0) >> 4) - 1];
  if (kbits === undefined) return undefined;
  const channels = (bytes[tag + 3] ?? 0) >> 6 === 3 ? 1 : 2;
  return { seconds: rounded(((bytes.length - tag) * 8) / (kbits * 1000)), channels };
}

const syncSafe = (bytes: Buffer): number =>
  [6, 7, 8, 9].reduce((size, at) => (size << 7) | ((bytes[at] ?? 0) & 0x7f), 0);

/** Ogg, FLAC, MP4 or WebM, with something in it. */
const isContainer = (bytes: Buffer): boolean =>
  bytes.length > 64 && /^(OggS|fLaC|.{4}ftyp|\x1aE\xdf\xa3)/s.test(bytes.toString("latin1", 0, 12));

/** Words of a text, spread evenly over the time they took. */
export function wordsOf(text: string, seconds: number): { word: string; start: number; end: number }[] {
  const words = text.split(/\s+/).filter(Boolean);
  const each = seconds / Math.max(1, words.length);
  return words.map((word, at) => ({ word, start: rounded(at * each), end: rounded((at + 1) * each) }));
}
