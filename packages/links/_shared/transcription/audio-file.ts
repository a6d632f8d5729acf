import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A recording as a file, in a folder of its own. */
export interface AudioFile {
  readonly file: string;
  readonly folder: string;
}

/** Lends a recording to programs as a file, which is gone when this settles. */
export async function withAudioFile<T>(bytes: Uint8Array, use: (file: AudioFile) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "vcon-audio-"));
  try {
    const file = join(folder, "whole");
    await writeFile(file, bytes);
    return await use({ file, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
