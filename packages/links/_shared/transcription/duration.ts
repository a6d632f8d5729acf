import { probeSeconds } from "./ffprobe.ts";
import { measureSeconds } from "./length/measure.ts";
import type { MediaNeeds } from "./media.ts";
import type { Signature } from "./signature.ts";

/** A recording whose length is wanted. */
export interface Measured {
  readonly bytes: Uint8Array;
  readonly signature: Signature | undefined;
  /** Seconds the dialog says. */
  readonly said: number | undefined;
  readonly doing: string;
}

/** The part of a context that measuring takes. */
export type MeasuringNeeds = Pick<MediaNeeds, "options" | "clock" | "signal" | "probing">;

/** Bits per second between which recordings are: slower than any speech codec, faster than any camera. */
const [LOWEST, HIGHEST] = [400, 50_000_000];

/** Returns true when so many bytes can last so many seconds: milliseconds and the length of another file fail. */
export const isPlausible = (seconds: number, bytes: number): boolean =>
  seconds > 0 && (bytes * 8) / seconds >= LOWEST && (bytes * 8) / seconds <= HIGHEST;

/**
 * Seconds of a recording: measured by its container, else by ffprobe where that is installed, else as the dialog says,
 * if the size of the recording allows for it. Undefined rather than wrong: a recording of unknown length is transcribed,
 * one that is taken for too short or too long is not.
 */
export async function findSeconds(measured: Measured, needs: MeasuringNeeds): Promise<number | undefined> {
  const { bytes, said } = measured;
  const found = (await measureSeconds(bytes, needs.signal)) ?? (await probeSeconds(measured, needs));
  if (found !== undefined) return found;
  return said !== undefined && isPlausible(said, bytes.length) ? said : undefined;
}
