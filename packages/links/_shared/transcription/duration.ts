/** The package, as a plug-in's `dependencies` load it. */
export type MusicMetadata = typeof import("music-metadata");

/** Seconds of audio by its container (WAV, MP3, Ogg, MP4, FLAC, WebM and others); undefined when it does not say. */
export async function secondsOf(bytes: Uint8Array, { parseBuffer }: MusicMetadata): Promise<number | undefined> {
  try {
    // what the sender calls the media is not asked: it is often wrong
    const { format } = await parseBuffer(bytes, undefined, { duration: true, skipCovers: true });
    const seconds = Math.round((format.duration ?? 0) * 1000) / 1000;
    return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
  } catch {
    // a container it does not know may still be one the service knows
    return undefined;
  }
}
