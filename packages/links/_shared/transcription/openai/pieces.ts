import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { VconError } from "@vcon-server/core";
import { type AudioFile, isUnwritten, withAudioFile } from "../audio-file.ts";
import { badMedia } from "../bad-media.ts";
import { type Ffmpeg, reading, runFfmpeg } from "../ffmpeg.ts";
import type { Room } from "../room.ts";
import type { Audio, ServiceCall } from "../transcriber.ts";
import { cutsFor, piecesOf, type Stretch } from "./cuts.ts";
import type { OpenAiOptions } from "./options.ts";

type Cutting = Pick<
  OpenAiOptions,
  "max_chunk_duration" | "maximum_duration" | "use_silence_chunking" | "silence_thresh" | "silence_len" | "ffmpeg_path"
>;

interface Cuttable {
  readonly audio: Audio;
  readonly options: Cutting;
  readonly call: ServiceCall;
  /** How many recordings are cut at a time. */
  readonly room: Room;
}

export interface Part extends Stretch {
  readonly isLast: boolean;
}

/** What a piece of a recording is sent as: mono MP3, 16 kHz, 128 kbit/s. */
const ENCODED = ["-ac", "1", "-ar", "16000", "-b:a", "128k", "-map_metadata", "-1"] as const;

/**
 * Cuts a recording and hands over its pieces, one after the other. Its files are gone when this settles, whatever
 * happens. Rejects as `runFfmpeg` does, and with what `use` rejects with.
 */
export function eachPiece<T>(cuttable: Cuttable, use: (piece: Audio, part: Part) => Promise<T>): Promise<T[]> {
  const { audio, options, call, room } = cuttable;
  const ffmpeg = callFfmpeg(cuttable, "cutting");
  return withAudioFile(audio.bytes, async (files) => {
    const place = await room.take(1, { ...ffmpeg, ...call });
    const stretches = await stretchesOf(files, ffmpeg, options).finally(() => place.leave());
    const results: T[] = [];
    for (const [at, stretch] of stretches.entries()) {
      const bytes = await readPiece(join(files.folder, nameOf(at)));
      if (!bytes) break;
      const piece = { bytes, seconds: stretch.end - stretch.start, mediatype: "audio/mpeg", extension: "mp3" };
      results.push(await use(piece, { ...stretch, isLast: at === stretches.length - 1 }));
    }
    if (results.length === 0) throw badMedia(`${ffmpeg.doing}: there is no sound in it`);
    return results;
  });
}

/** Seconds of a recording, found by playing it; undefined where there is no ffmpeg, or none that can read it. */
export async function playThrough(cuttable: Cuttable): Promise<number | undefined> {
  const { audio, options, call, room } = cuttable;
  const ffmpeg = callFfmpeg(cuttable, "measuring");
  try {
    const { seconds } = await withAudioFile(audio.bytes, async ({ file }) => {
      const place = await room.take(1, { ...ffmpeg, ...call });
      const exploring = explore(file, ffmpeg, { ...options, use_silence_chunking: false });
      return exploring.finally(() => place.leave());
    });
    return seconds > 0 ? seconds : undefined;
  } catch (error) {
    if (error instanceof VconError && (NO_HELP.includes(error.code) || isUnwritten(error))) return undefined;
    throw error;
  }
}

/** ffmpeg is not there, or it cannot read what the service may be able to read. */
const NO_HELP: readonly string[] = ["VCON_PLUGIN_MISSING", "VCON_MEDIA_UNUSABLE"];

const callFfmpeg = ({ options, call }: Cuttable, what: string): Ffmpeg => ({
  path: options.ffmpeg_path,
  doing: `${what} the recording of ${call.what}`,
  signal: call.signal,
});

/** Cuts the recording into files, and says what is in each. */
async function stretchesOf(files: AudioFile, ffmpeg: Ffmpeg, options: Cutting): Promise<Stretch[]> {
  const { seconds, silences } = await explore(files.file, ffmpeg, options);
  const cuts = cutsFor(seconds, options.max_chunk_duration, silences);
  await cut({ ...files, cuts }, ffmpeg, options);
  return piecesOf(cuts, seconds);
}

const nameOf = (at: number): string => `${String(at).padStart(5, "0")}.mp3`;

/** A recording that ends before its container says has fewer pieces. */
async function readPiece(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const bytes = await readFile(file);
    return bytes.length > 0 ? bytes : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

interface Explored {
  readonly seconds: number;
  readonly silences: readonly Stretch[];
}

/** Silences beyond this many are of no use, and a foreign file may have any number. */
const MOST_SILENCES = 100_000;

/** Decodes the whole recording: the length in its container need not be true. */
async function explore(file: string, ffmpeg: Ffmpeg, options: Cutting): Promise<Explored> {
  const { use_silence_chunking, silence_thresh, silence_len, maximum_duration } = options;
  const filter = `silencedetect=noise=${silence_thresh}dB:d=${silence_len / 1000}`;
  const args = [
    ...reading(file),
    ...["-t", String(maximum_duration)],
    ...(use_silence_chunking ? ["-af", filter] : []),
    ...["-progress", "pipe:1", "-f", "null", "-"],
  ];
  const silences: Stretch[] = [];
  let [seconds, start] = [0, 0];
  await runFfmpeg(ffmpeg, args, (line) => {
    seconds = (numberAfter("out_time_us=", line) ?? seconds * 1e6) / 1e6;
    start = numberAfter("silence_start: ", line) ?? start;
    const end = numberAfter("silence_end: ", line);
    if (end !== undefined && silences.length < MOST_SILENCES) silences.push({ start, end });
  });
  return { seconds, silences };
}

function numberAfter(label: string, line: string): number | undefined {
  const at = line.indexOf(label);
  const number = at < 0 ? Number.NaN : Number.parseFloat(line.slice(at + label.length));
  return Number.isFinite(number) ? Math.max(0, number) : undefined;
}

async function cut(
  { file, folder, cuts }: AudioFile & { readonly cuts: readonly number[] },
  ffmpeg: Ffmpeg,
  { maximum_duration }: Cutting,
): Promise<void> {
  const times = cuts.map((seconds) => seconds.toFixed(3)).join(",");
  const segments = cuts.length > 0 ? ["-segment_times", times] : ["-segment_time", String(maximum_duration + 1)];
  await runFfmpeg(ffmpeg, [
    ...reading(file),
    ...["-t", String(maximum_duration)],
    ...ENCODED,
    ...["-f", "segment", ...segments, "-reset_timestamps", "1", join(folder, "%05d.mp3")],
  ]);
}
