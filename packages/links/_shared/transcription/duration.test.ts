import fc from "fast-check";
import * as musicMetadata from "music-metadata";
import { beforeAll, expect, test } from "vitest";
import { secondsOf } from "./duration.ts";
import { encodedTone, wav } from "./testing/sounds.ts";

const FORMATS = {
  mp3: ["mp3"],
  "mp3 of a variable rate without an index": ["mp3", "-q:a", "5", "-write_xing", "0"],
  vorbis: ["ogg", "-c:a", "libvorbis"],
  opus: ["ogg", "-c:a", "libopus"],
  flac: ["flac"],
  mp4: ["ipod", "-movflags", "frag_keyframe+empty_moov+default_base_moof"],
  webm: ["webm", "-c:a", "libopus"],
} as const;

const files = new Map<string, Uint8Array>();
beforeAll(async () => {
  for (const [name, format] of Object.entries(FORMATS)) files.set(name, await encodedTone(7.5, format));
  files.set("wav", wav({ seconds: 7.5 }));
});

test.each(["mp3", "mp3 of a variable rate without an index", "vorbis", "opus", "wav"])(
  "%s is measured",
  async (name) => {
    expect(await secondsOf(files.get(name) ?? new Uint8Array(), musicMetadata)).toBeCloseTo(7.5, 0);
  },
);

test("a container that does not say how long it is, is of unknown length rather than of none", async () => {
  for (const name of ["flac", "webm", "mp4"]) {
    const seconds = await secondsOf(files.get(name) ?? new Uint8Array(), musicMetadata);
    expect(seconds === undefined || Math.abs(seconds - 7.5) < 0.3, `${name}: ${seconds}`).toBe(true);
  }
});

test("a WAV that was cut off is as long as what is left of it", async () => {
  expect(await secondsOf(wav({ seconds: 10 }).subarray(0, 44 + 8_000 * 2 * 4), musicMetadata)).toBe(4);
});

test("whatever is cut off or damaged, it is a length or none, and never an error", async () => {
  const names = fc.constantFrom(...files.keys());
  await fc.assert(
    fc.asyncProperty(names, fc.integer({ min: 0, max: 100 }), fc.integer(), async (name, percent, seed) => {
      const whole = files.get(name) ?? new Uint8Array();
      const damaged = whole.slice(0, Math.ceil((whole.length * percent) / 100));
      for (let at = Math.abs(seed) % 97; at < damaged.length; at += 997)
        damaged[at] = (damaged[at] ?? 0) ^ (seed & 0xff);
      const seconds = await secondsOf(damaged, musicMetadata);
      expect(seconds === undefined || (Number.isFinite(seconds) && seconds > 0)).toBe(true);
    }),
    { numRuns: 150 },
  );
});
