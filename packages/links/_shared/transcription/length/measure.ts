import { measureFlac } from "./flac.ts";
import { measureMatroska } from "./matroska.ts";
import { measureMp4 } from "./mp4.ts";
import { measureMpeg, readFrame, readTag } from "./mpeg.ts";
import { measureOgg } from "./ogg.ts";
import { measureAiff, measureAmr, measureAu } from "./simple.ts";
import { type Bytes, openBytes, runSteps, type Steps } from "./steps.ts";
import { measureWav } from "./wav.ts";

const CONTAINERS: readonly (readonly [pattern: RegExp, measure: (bytes: Bytes) => Steps])[] = [
  [/^(RIFF|RF64|BW64).{4}WAVE/s, measureWav],
  [/^fLaC/, measureFlac],
  [/^OggS/, measureOgg],
  [/^\x1aE\xdf\xa3/, measureMatroska],
  [/^.{4}ftyp/s, measureMp4],
  [/^#!AMR/, measureAmr],
  [/^FORM.{4}AIF/s, measureAiff],
  [/^\.snd/, measureAu],
];

function findMeasure(bytes: Bytes): ((bytes: Bytes) => Steps) | undefined {
  const start = bytes.text(0, 12);
  return CONTAINERS.find(([pattern]) => pattern.test(start))?.[1] ?? (readFrame(bytes, 0) && measureMpeg);
}

/**
 * Measures a recording by what is in it: the sound that is there, not what a header says that may have been written
 * before the end was known, for another part, or for a file that was cut since. Undefined where the bytes contradict
 * each other, or their container is not known. Keeps the event loop for a few milliseconds at a time.
 */
export async function measureSeconds(bytes: Uint8Array, signal: AbortSignal): Promise<number | undefined> {
  const all = openBytes(bytes);
  // tags stand before files of several kinds
  const tag = all.text(0, 3) === "ID3" ? readTag(all, 0) : 0;
  const measure = findMeasure(all.slice(tag));
  const seconds = measure && (await runSteps(measure(all.slice(tag)), signal));
  const rounded = Math.round((seconds ?? 0) * 1_000) / 1_000;
  return Number.isFinite(rounded) && rounded > 0 ? rounded : undefined;
}
