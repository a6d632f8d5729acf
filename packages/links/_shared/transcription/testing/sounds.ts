import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Wav {
  readonly seconds: number;
  readonly rate?: number;
  readonly channels?: number;
  /** Stretches, in seconds, in which nothing is heard. */
  readonly silences?: readonly (readonly [start: number, end: number])[];
}

/** A tone as a WAV file of 16 bits. */
export function wav({ seconds, rate = 8_000, channels = 1, silences = [] }: Wav): Uint8Array<ArrayBuffer> {
  const frames = Math.round(seconds * rate);
  const size = frames * channels * 2;
  const file = Buffer.alloc(44 + size);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(36 + size, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * channels * 2, 28);
  file.writeUInt16LE(channels * 2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(size, 40);
  for (let frame = 0; frame < frames; frame++) {
    const quiet = silences.some(([start, end]) => frame / rate >= start && frame / rate < end);
    const sample = quiet ? 0 : Math.round(8_000 * Math.sin((frame / rate) * 440 * 2 * Math.PI));
    for (let channel = 0; channel < channels; channel++)
      file.writeInt16LE(sample, 44 + (frame * channels + channel) * 2);
  }
  return new Uint8Array(file);
}

type Format = readonly [format: string, ...args: string[]];

const readTone = (seconds: number): readonly string[] => [
  ...["-v", "error", "-nostdin", "-f", "lavfi"],
  ...["-i", `sine=frequency=440:duration=${seconds}:sample_rate=16000`, "-ac", "1"],
];

/** A tone in another container, by ffmpeg through a pipe: `["mp3"]`, `["webm", "-c:a", "libopus"]`. */
export async function encodedTone(seconds: number, [format, ...args]: Format): Promise<Uint8Array<ArrayBuffer>> {
  const { stdout } = await run("ffmpeg", [...readTone(seconds), ...args, "-f", format, "pipe:1"], PIPE);
  return new Uint8Array(stdout);
}

/** Encodes a tone into a file rather than a pipe, so that its header is completed at the end. */
export async function filedTone(seconds: number, [format, ...args]: Format): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), "vcon-tone-"));
  try {
    await run("ffmpeg", [...readTone(seconds), ...args, "-f", format, join(folder, "tone")]);
    return new Uint8Array(await readFile(join(folder, "tone")));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A tone by sox through a pipe, which cannot go back to write how long it has become: `["wav", "-e", "gsm"]`. */
export async function pipedTone(seconds: number, [type, ...args]: Format): Promise<Uint8Array<ArrayBuffer>> {
  const { stdout } = await run(
    "sox",
    ["-n", "-r", "8000", "-c", "1", "-t", type, ...args, "-", "synth", String(seconds), "sine", "440"],
    PIPE,
  );
  return new Uint8Array(stdout);
}

const PIPE = { encoding: "buffer", maxBuffer: 2 ** 26 } as const;
