import { type ChildProcess, spawn } from "node:child_process";
import { VconError } from "@vcon-server/core";
import { badMedia } from "./bad-media.ts";

export interface Ffmpeg {
  readonly path: string;
  readonly doing: string;
  readonly signal: AbortSignal;
}

/** Told each line the program writes. */
type Listen = (line: string) => void;

/** Where the program is looked for. The environment is not passed on: it is nothing to a program that reads foreign files. */
const ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin" };

/** Formats that are files of their own: one that names other files or addresses could have them read. */
const FORMATS = "wav,w64,mp3,ogg,flac,mov,matroska,aac,aiff,amr,amrnb,amrwb,asf,au,caf,mpeg,mpegts,avi";

/** Arguments with which ffmpeg and ffprobe open a foreign file. */
export const opening = (file: string): readonly string[] => [
  ...["-hide_banner", "-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i", file],
];

/** Arguments with which ffmpeg reads the sound of a foreign file. */
export const reading = (file: string): readonly string[] => [
  ...["-nostdin", "-nostats", "-threads", "1", ...opening(file), "-map", "0:a:0", "-vn"],
];

/**
 * Runs the program to its end. Rejects with `VCON_PLUGIN_MISSING` when there is none, `VCON_MEDIA_UNUSABLE` when it
 * cannot read the recording, `VCON_LINK_FAILED` when it was killed or has no room, and with the signal's reason after
 * the program is gone.
 */
export async function runFfmpeg(
  { path, doing, signal }: Ffmpeg,
  args: readonly string[],
  listen: Listen = () => undefined,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"], env: ENVIRONMENT });
  const kill = () => child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  let last = "";
  onLines(child.stdout, listen);
  onLines(child.stderr, (line) => {
    last = line.trim() === "" ? last : line;
    listen(line);
  });
  try {
    const { code, error } = await ended(child);
    signal.throwIfAborted();
    if (error) throw missing(path, doing, error);
    if (code === 0) return;
    if (/encoder|Unrecognized option|No such filter|Requested output format/i.test(last)) throw missing(path, doing);
    if (code === null || /No space left/i.test(last))
      throw new VconError("VCON_LINK_FAILED", `${doing}: ffmpeg was stopped or ran out of room; it is tried again`);
    throw badMedia(`${doing}: ffmpeg cannot read it; check that it is audio and complete`);
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

interface Ended {
  readonly code: number | null;
  readonly error?: Error;
}

/** When the program is gone and all it wrote has been read. */
const ended = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, error }));
    child.once("close", (code) => resolve({ code }));
  });

const missing = (path: string, doing: string, cause?: Error): VconError =>
  new VconError(
    "VCON_PLUGIN_MISSING",
    cause
      ? `${doing}: the program ${path} cannot be started; install ffmpeg, or set ffmpeg_path to where it is`
      : `${doing}: the program ${path} cannot write MP3; install an ffmpeg with libmp3lame`,
    cause && { cause },
  );

/** Characters of a line that are kept: metadata of foreign files may have any length. */
const LONGEST_LINE = 4_096;

function onLines(stream: NodeJS.ReadableStream | null, listen: Listen): void {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    const lines = `${rest}${chunk}`.split(/[\r\n]+/);
    rest = (lines.pop() ?? "").slice(0, LONGEST_LINE);
    for (const line of lines) listen(line.slice(0, LONGEST_LINE));
  });
  stream?.on("end", () => listen(rest));
}
