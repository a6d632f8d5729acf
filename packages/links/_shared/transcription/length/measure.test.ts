import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { encodedTone, filedTone, pipedTone, wav } from "../testing/sounds.ts";
import { measureSeconds } from "./measure.ts";

type Sound = Uint8Array<ArrayBuffer>;

const measure = (bytes: Uint8Array) => measureSeconds(bytes, new AbortController().signal);
const join = (...parts: readonly Uint8Array[]): Sound => new Uint8Array(Buffer.concat(parts));
const cut = (bytes: Uint8Array, part: number) => bytes.subarray(0, Math.floor(bytes.length * part));

const SECONDS = 7.5;

const MADE: Readonly<Record<string, () => Promise<Sound>>> = {
  "WAV by sox through a pipe": () => pipedTone(SECONDS, ["wav"]),
  "WAV of GSM by sox through a pipe": () => pipedTone(SECONDS, ["wav", "-e", "gsm"]),
  "WAV of IMA ADPCM by sox through a pipe": () => pipedTone(SECONDS, ["wav", "-e", "ima-adpcm"]),
  "WAV of Microsoft's ADPCM by sox through a pipe": () => pipedTone(SECONDS, ["wav", "-e", "ms-adpcm"]),
  "WAV of mu-law by sox through a pipe": () => pipedTone(SECONDS, ["wav", "-e", "mu-law"]),
  "WAV by ffmpeg through a pipe": () => encodedTone(SECONDS, ["wav"]),
  "WAV of G.726": () => encodedTone(SECONDS, ["wav", "-c:a", "g726", "-ar", "8000"]),
  "WAV of MP3": () => encodedTone(SECONDS, ["wav", "-c:a", "libmp3lame"]),
  "WAV of floats, extensible": () => filedTone(SECONDS, ["wav", "-c:a", "pcm_f32le", "-ac", "6"]),
  RF64: () => filedTone(SECONDS, ["wav", "-rf64", "always"]),
  "AIFF by sox through a pipe": () => pipedTone(SECONDS, ["aiff"]),
  AIFF: () => filedTone(SECONDS, ["aiff"]),
  "AU by sox through a pipe": () => pipedTone(SECONDS, ["au"]),
  "AU of A-law": () => filedTone(SECONDS, ["au", "-c:a", "pcm_alaw"]),
  "FLAC by sox through a pipe": () => pipedTone(SECONDS, ["flac"]),
  FLAC: () => filedTone(SECONDS, ["flac"]),
  MP3: () => filedTone(SECONDS, ["mp3"]),
  "MP3 of a variable rate without an index": () => encodedTone(SECONDS, ["mp3", "-q:a", "5", "-write_xing", "0"]),
  "MP3 in stereo at half the rate": () => encodedTone(SECONDS, ["mp3", "-ar", "22050", "-ac", "2"]),
  "MP3 with tags on both ends": () => encodedTone(SECONDS, ["mp3", "-write_id3v1", "1", "-metadata", "title=a"]),
  "MPEG layer II": () => encodedTone(SECONDS, ["mp2"]),
  AAC: () => encodedTone(SECONDS, ["adts"]),
  Vorbis: () => encodedTone(SECONDS, ["ogg", "-c:a", "libvorbis"]),
  Opus: () => encodedTone(SECONDS, ["ogg", "-c:a", "libopus"]),
  Speex: () => encodedTone(SECONDS, ["ogg", "-c:a", "libspeex"]),
  "FLAC in Ogg": () => encodedTone(SECONDS, ["ogg", "-c:a", "flac"]),
  "MP4 with its index at the end": () => filedTone(SECONDS, ["ipod"]),
  "MP4 with its index in front": () => filedTone(SECONDS, ["mp4", "-movflags", "faststart"]),
  "MP4 in one fragment": () => encodedTone(SECONDS, ["mp4", "-movflags", "frag_keyframe+empty_moov"]),
  "MP4 in fragments of half a second": () =>
    encodedTone(SECONDS, ["mp4", "-movflags", "empty_moov+default_base_moof", "-frag_duration", "500000"]),
  "MP4 in fragments with an index of them": () =>
    filedTone(SECONDS, ["mp4", "-movflags", "empty_moov+dash+global_sidx", "-frag_duration", "1000000"]),
  "MP4 that begins at an hour": () =>
    encodedTone(SECONDS, ["mp4", "-movflags", "empty_moov+frag_keyframe", "-output_ts_offset", "3600"]),
  WebM: () => filedTone(SECONDS, ["webm", "-c:a", "libopus"]),
  "WebM without a length": () => encodedTone(SECONDS, ["webm", "-c:a", "libopus", "-live", "1"]),
  "WebM that begins at an hour": () => encodedTone(SECONDS, ["webm", "-c:a", "libopus", "-output_ts_offset", "3600"]),
  "Matroska of plain samples": () => filedTone(SECONDS, ["matroska", "-c:a", "pcm_s16le"]),
};

/** An encoder may add a frame of its own at either end. */
const TOLERANCE = 0.13;

const files = new Map<string, Sound>();
const file = (name: string): Sound => files.get(name) ?? expect.fail(`there is no ${name}`);
const expectSeconds = (seconds: number | undefined, wanted: number) =>
  expect(Math.abs((seconds ?? 0) - wanted), `${seconds} is not ${wanted}`).toBeLessThanOrEqual(TOLERANCE);

beforeAll(async () => {
  for (const [name, make] of Object.entries(MADE)) files.set(name, await make());
});

describe("what recorders write", () => {
  test.each(Object.keys(MADE))("%s is as long as it sounds", async (name) => {
    expectSeconds(await measure(file(name)), SECONDS);
  });

  test("a header that sox could not complete says days", () => {
    const header = Buffer.from(file("WAV by sox through a pipe"));
    expect(header.readUInt32LE(header.indexOf("data") + 4)).toBeGreaterThan(0x7fff_0000);
  });

  test("compressed WAV without a count of its samples is measured by its blocks", async () => {
    const whole = Buffer.from(file("WAV of GSM by sox through a pipe"));
    const fact = whole.indexOf("fact", 0, "latin1");
    const without = join(whole.subarray(0, fact), whole.subarray(fact + 12));
    expectSeconds(await measure(without), SECONDS);
    whole.writeUInt32LE(40, fact + 8);
    expectSeconds(await measure(whole), SECONDS);
  });

  test("AMR is measured by its frames", async () => {
    const frame = Uint8Array.of(0x3c, ...new Uint8Array(31));
    const narrow = join(Buffer.from("#!AMR\n"), ...Array.from({ length: 150 }, () => frame));
    expect(await measure(narrow)).toBe(3);
    const wide = join(
      Buffer.from("#!AMR-WB\n"),
      ...Array.from({ length: 50 }, () => Uint8Array.of(0x04, ...new Uint8Array(17))),
    );
    expect(await measure(wide)).toBe(1);
    expect(await measure(cut(narrow, 0.5))).toBeCloseTo(1.5, 1);
  });

  test("a tag in front of another container does not hide it", async () => {
    const tag = Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 1, 0, ...new Uint8Array(128));
    for (const name of ["AAC", "FLAC"]) expectSeconds(await measure(join(tag, file(name))), SECONDS);
  });
});

/** Pages of an Ogg file, cut apart. */
function splitPages(bytes: Uint8Array): Uint8Array[] {
  const buffer = Buffer.from(bytes);
  const starts: number[] = [];
  for (let at = buffer.indexOf("OggS"); at >= 0; at = buffer.indexOf("OggS", at + 4)) starts.push(at);
  return starts.map((start, at) => bytes.subarray(start, starts[at + 1]));
}

const readPosition = (page: Uint8Array) => Number(Buffer.from(page).readBigInt64LE(6));

describe("parts of recordings", () => {
  test.each([
    ["Vorbis", ["ogg", "-c:a", "libvorbis", "-page_duration", "500000"], 16_000],
    ["Opus", ["ogg", "-c:a", "libopus"], 48_000],
    ["Speex", ["ogg", "-c:a", "libspeex"], 16_000],
  ] as const)("%s that was tapped on its way is as long as the tapped part", async (_, format, rate) => {
    const pages = splitPages(await encodedTone(40, format));
    const headers = pages.filter((page) => readPosition(page) === 0);
    const tapped = pages.filter((page) => readPosition(page) > 30 * rate);
    const before = pages.filter((page) => readPosition(page) > 0 && readPosition(page) <= 30 * rate).at(-1);
    const rest = 40 - readPosition(before ?? expect.fail("no page before")) / rate;
    expectSeconds(await measure(join(...headers, ...tapped)), rest);
    // an hour on the way
    for (const page of tapped) {
      const buffer = Buffer.from(page.buffer, page.byteOffset, page.length);
      buffer.writeBigInt64LE(buffer.readBigInt64LE(6) + BigInt(3_600 * rate), 6);
    }
    expectSeconds(await measure(join(...headers, ...tapped)), rest);
  });

  test("Ogg from which a stretch is missing is of unknown length", async () => {
    const pages = splitPages(await encodedTone(200, ["ogg", "-c:a", "libopus"]));
    const gap = pages.filter((page) => readPosition(page) < 20 * 48_000 || readPosition(page) > 180 * 48_000);
    expect(await measure(join(...gap))).toBeUndefined();
  });

  test.each([
    "Vorbis",
    "Opus",
    "FLAC in Ogg",
    "MP3",
    "MP3 of a variable rate without an index",
    "AAC",
    "WebM",
    "WebM without a length",
  ])("three files of %s, one behind the other, are as long as the three", async (name) => {
    const one = await measure(file(name));
    expect(await measure(join(file(name), file(name), file(name)))).toBeCloseTo(3 * (one ?? 0), 1);
  });

  test.each([
    "WAV by sox through a pipe",
    "WAV of GSM by sox through a pipe",
    "WAV by ffmpeg through a pipe",
    "RF64",
    "AIFF",
    "AU of A-law",
    "MP3",
    "AAC",
    "FLAC",
    "Opus",
    "MP4 with its index in front",
    "MP4 in one fragment",
    "MP4 in fragments of half a second",
    "MP4 in fragments with an index of them",
    "WebM",
  ])("%s that was cut, and says its full length, is as long as what is left", async (name) => {
    const seconds = await measure(cut(file(name), 0.6));
    expect(Math.abs((seconds ?? 0) - 0.6 * SECONDS), `${seconds}`).toBeLessThan(0.55);
  });

  test("MP4 that was cut before its index cannot be played, and has no length", async () => {
    expect(await measure(cut(file("MP4 with its index at the end"), 0.6))).toBeUndefined();
  });
});

describe("contradictions", () => {
  test("a second file that players do not reach makes the length unknown", async () => {
    for (const one of [wav({ seconds: 3 }), file("MP4 in one fragment"), file("MP4 with its index in front")])
      expect(await measure(join(one, one))).toBeUndefined();
  });

  test("sound behind the sound, and chunks behind it", async () => {
    const whole = Buffer.from(wav({ seconds: 4 }));
    expect(await measure(join(whole, Buffer.from("LIST\x04\0\0\0abcd", "latin1")))).toBe(4);
    whole.writeUInt32LE(8_000, 40);
    expect(await measure(whole)).toBeUndefined();
    whole.writeUInt32LE(0, 40);
    expect(await measure(whole)).toBe(4);
  });

  test("a codec that is not known is as long as its count of samples, if its size agrees", async () => {
    const header = Buffer.from(
      "RIFF\0\0\0\0WAVEfmt \x12\0\0\0\x42\x01\x01\0\x40\x1f\0\0\x20\x03\0\0\x18\0\0\0\0\0fact\x04\0\0\0",
      "latin1",
    );
    const file = (samples: number) => {
      const fact = Buffer.alloc(4);
      fact.writeUInt32LE(samples);
      return join(header, fact, Buffer.from("data\x80\x3e\0\0", "latin1"), new Uint8Array(16_000));
    };
    expect(await measure(file(160_000))).toBe(20);
    expect(await measure(file(8_000))).toBeUndefined();
  });

  test("raw samples, other containers and noise have no length", async () => {
    for (const bytes of [
      new Uint8Array(50_000),
      new Uint8Array(50_000).fill(0xff),
      new Uint8Array(0),
      Uint8Array.of(0xff),
    ])
      expect(await measure(bytes)).toBeUndefined();
    expect(await measure(await encodedTone(3, ["asf"]))).toBeUndefined();
  });

  test("an MP3 that is mostly something else has no length", async () => {
    const noise = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7_919) % 251);
    expect(await measure(join(file("MP3"), noise))).toBeUndefined();
  });
});

test("whatever is cut off or damaged, it is a length or none, no longer than the whole, and never an error", async () => {
  const names = fc.constantFrom(...Object.keys(MADE));
  await fc.assert(
    fc.asyncProperty(names, fc.integer({ min: 0, max: 100 }), async (name, percent) => {
      const seconds = await measure(cut(file(name), percent / 100));
      expect(seconds === undefined || (seconds > 0 && seconds <= SECONDS + TOLERANCE)).toBe(true);
    }),
    { numRuns: 200 },
  );
  await fc.assert(
    fc.asyncProperty(names, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))), async (name, damages) => {
      const damaged = file(name).slice();
      for (const [at, byte] of damages) damaged[at % damaged.length] = byte;
      const seconds = await measure(damaged);
      expect(seconds === undefined || (Number.isFinite(seconds) && seconds > 0)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("tables that claim more entries than there are cost no more than those they have", async () => {
  const bytes = Buffer.from(file("MP4 with its index in front"));
  for (const name of ["stts", "stsc", "stco", "elst"]) {
    const at = bytes.indexOf(name);
    if (at >= 0) bytes.writeUInt32BE(0xffffffff, at + 8);
  }
  expect(await measure(bytes)).toBeCloseTo(SECONDS, 0);
});

test("measuring hours of MP3 leaves the event loop to others, and ends with the run", async () => {
  const minute = await encodedTone(60, ["mp3", "-q:a", "5", "-write_xing", "0"]);
  const hours = join(...Array.from({ length: 120 }, () => minute));
  let turns = 0;
  const turn = () => {
    turns++;
    if (turns < 1_000) setImmediate(turn);
  };
  setImmediate(turn);
  const seconds = (await measure(hours)) ?? 0;
  expect(Math.abs(seconds - 7_200)).toBeLessThan(20);
  // 200,000 frames, 2,048 in a turn
  expect(turns).toBeGreaterThan(80);
  const controller = new AbortController();
  const running = measureSeconds(hours, controller.signal);
  controller.abort(new Error("shutting down"));
  await expect(running).rejects.toThrow("shutting down");
});
