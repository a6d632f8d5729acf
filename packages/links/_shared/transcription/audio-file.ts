import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VconError } from "@vcon-server/core";

/** A recording as a file, in a folder of its own. */
export interface AudioFile {
  readonly file: string;
  readonly folder: string;
}

/** Lends a recording to programs as a file, which is gone when this settles. */
export async function withAudioFile<T>(bytes: Uint8Array, use: (file: AudioFile) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "vcon-audio-")).catch(refuseFile);
  try {
    const file = join(folder, "whole");
    await writeFile(file, bytes).catch(refuseFile);
    return await use({ file, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function refuseFile(cause: unknown): never {
  throw new VconError(
    "VCON_LINK_FAILED",
    `a recording cannot be written to ${tmpdir()} for ffmpeg; make room there, or set TMPDIR to a folder that can be written to`,
    { cause, details: { isUnwritten: true } },
  );
}

/** Returns true when no program could be asked, since the recording could not be written for it. */
export const isUnwritten = (error: VconError): boolean => error.details["isUnwritten"] === true;
