import { manualClock } from "@vcon-server/core/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { findSeconds, isPlausible, type MeasuringNeeds } from "./duration.ts";
import { openRoom } from "./room.ts";
import { signatureOf } from "./signature.ts";
import { encodedTone, filedTone, wav } from "./testing/sounds.ts";

interface Asked {
  readonly said?: number;
  readonly ffmpeg?: string;
}

const find = (bytes: Uint8Array, { said, ffmpeg = "ffmpeg" }: Asked = {}): Promise<number | undefined> => {
  const needs: MeasuringNeeds = {
    options: { max_audio_bytes: 1, download_timeout_secs: 1, recording_wait_secs: 1, ffmpeg_path: ffmpeg },
    clock: manualClock(),
    signal: new AbortController().signal,
    probing: openRoom(1, ""),
  };
  return findSeconds({ bytes, signature: signatureOf(bytes), said, doing: "measuring a recording" }, needs);
};

const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const MISSING = "/nowhere/ffmpeg";

test.each([
  ["WMA", ["asf"]],
  ["W64", ["w64"]],
  ["CAF", ["caf"]],
] as const)("%s is measured by ffprobe, where there is one", async (_, format) => {
  const bytes = await filedTone(7.5, format);
  expect((await find(bytes)) ?? 0).toBeCloseTo(7.5, 0);
  expect(await find(bytes, { ffmpeg: MISSING })).toBeUndefined();
  expect(await find(bytes, { ffmpeg: MISSING, said: 7 })).toBe(7);
});

test("where no file can be written for ffprobe the length is unknown, and the recording is not refused", async () => {
  const bytes = await filedTone(7.5, ["caf"]);
  vi.stubEnv("TMPDIR", "/nowhere");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await find(bytes)).toBeUndefined();
  expect(await find(bytes, { said: 7 })).toBe(7);
});

test("a container that is known needs no program", async () => {
  expect(await find(wav({ seconds: 3 }), { ffmpeg: MISSING, said: 90 })).toBe(3);
});

test("a part that ffprobe sees of a file is not taken for the whole", async () => {
  const twice = join(wav({ seconds: 3 }), wav({ seconds: 3 }));
  expect(await find(twice)).toBeUndefined();
  expect(await find(twice, { said: 6 })).toBe(6);
});

test("raw samples are not taken for a container by chance", async () => {
  const raw = join(new Uint8Array(64).fill(0x80), (await encodedTone(3, ["mp3"])).subarray(0, 3_000));
  expect(await find(raw)).toBeUndefined();
  for (const byte of [0, 0x55, 0x80, 0xff]) expect(await find(new Uint8Array(50_000).fill(byte))).toBeUndefined();
});

test("what the dialog says counts where the recording does not say, if its size allows for it", async () => {
  const raw = new Uint8Array(720_000).fill(0x55);
  expect(await find(raw, { said: 90 })).toBe(90);
  for (const said of [90_000, 0, 0.01]) expect(await find(raw, { said })).toBeUndefined();
});

test.each([
  [90, 720_000, true],
  [90_000, 720_000, false],
  [3_600, 3_600 * 100, true],
  [3, 100_000_000, false],
  [0, 720_000, false],
])("%i seconds in %i bytes: %s", (seconds, bytes, isIt) => {
  expect(isPlausible(seconds, bytes)).toBe(isIt);
});
