import { VconError, withinTime } from "@vcon-server/core";
import { withAudioFile } from "./audio-file.ts";
import type { Measured, MeasuringNeeds } from "./duration.ts";
import { opening, runFfmpeg } from "./ffmpeg.ts";

/** Seconds after which the program is stopped. */
const PATIENCE = 30;

/** How ffprobe calls the containers that begin with a signature. */
const NAMES: Readonly<Record<string, string>> = { webm: "matroska", m4a: "mov", mp4: "mov" };

/** Seconds of a recording by the packets ffprobe finds in it; undefined where there is no ffprobe, or it is not sure. */
export async function probeSeconds(measured: Measured, needs: MeasuringNeeds): Promise<number | undefined> {
  const { bytes, doing } = measured;
  const { clock, signal, probing } = needs;
  const place = await probing.take(1, { doing, clock, signal });
  try {
    const packets = openPackets();
    await withAudioFile(bytes, ({ file }) =>
      withinTime({ doing, seconds: PATIENCE, clock, signal }, (within) =>
        runFfmpeg({ path: nameProgram(needs.options.ffmpeg_path), doing, signal: within }, asking(file), packets.take),
      ),
    );
    return packets.measure(measured);
  } catch (error) {
    signal.throwIfAborted();
    // a program that is missing, cannot read it or takes too long leaves the length unknown
    if (error instanceof VconError) return undefined;
    throw error;
  } finally {
    place.leave();
  }
}

/** The program beside ffmpeg. */
const nameProgram = (ffmpeg = "ffmpeg"): string => ffmpeg.replace(/ffmpeg(?=[^/\\]*$)/, "ffprobe");

const asking = (file: string): readonly string[] => [
  ...["-v", "error", "-show_entries", "packet=codec_type,stream_index,pts_time,duration_time,size"],
  ...["-show_entries", "format=format_name,probe_score", "-of", "compact", ...opening(file)],
];

/** Reads the lines of the program: the length of the first stream with sound, and the bytes of all streams. */
function openPackets() {
  const sound = { stream: "", seconds: 0, first: Number.POSITIVE_INFINITY, last: 0 };
  const file = { bytes: 0, names: "", score: 0 };
  return {
    take(line: string): void {
      const [kind, ...members] = line.split("|");
      const entries = new Map(
        members.map((member) => [member.slice(0, member.indexOf("=")), member.slice(member.indexOf("=") + 1)]),
      );
      const number = (name: string) => Number.parseFloat(entries.get(name) ?? "");
      if (kind === "format") {
        file.names = entries.get("format_name") ?? "";
        file.score = number("probe_score");
      }
      if (kind !== "packet") return;
      file.bytes += number("size") || 0;
      if (entries.get("codec_type") !== "audio") return;
      sound.stream ||= entries.get("stream_index") ?? "";
      if (entries.get("stream_index") !== sound.stream) return;
      const [start, seconds] = [number("pts_time"), number("duration_time")];
      sound.seconds += seconds;
      sound.first = Math.min(sound.first, start);
      sound.last = Math.max(sound.last, start + seconds);
    },
    measure({ bytes, signature }: Measured): number | undefined {
      const span = sound.last - sound.first;
      const isEven = Math.abs(span - sound.seconds) <= Math.max(0.5, span * 0.02);
      const extension = signature?.kind === "media" ? signature.extension : undefined;
      const isNamed = extension === undefined || file.names.split(",").includes(NAMES[extension] ?? extension);
      // most of the file must be in the packets: what is not may be sound that the program does not see
      const isAll = file.bytes >= bytes.length * MOSTLY;
      return isEven && isNamed && isAll && file.score > SURE && span > 0 ? Math.round(span * 1_000) / 1_000 : undefined;
    },
  };
}

/** Bytes of the file that are in packets. */
const MOSTLY = 0.75;
/** Below this the program has guessed the container by the name of the file or a few bytes. */
const SURE = 50;
