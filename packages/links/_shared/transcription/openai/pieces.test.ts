import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualClock } from "@vcon-server/core/testing";
import { heardIn } from "@vcon-server/core/testing/services/heard";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openRoom } from "../room.ts";
import { encodedTone, wav } from "../testing/sounds.ts";
import { eachPiece, type Part } from "./pieces.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pieces-test-"));
  vi.stubEnv("TMPDIR", folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

const OPTIONS = {
  max_chunk_duration: 10,
  maximum_duration: 3_600,
  use_silence_chunking: true,
  silence_thresh: -40,
  silence_len: 500,
  ffmpeg_path: "ffmpeg",
};

interface Cut {
  readonly signal?: AbortSignal;
  readonly options?: Partial<typeof OPTIONS>;
}

const cut = (
  bytes: Uint8Array<ArrayBuffer>,
  { signal = new AbortController().signal, options = {} }: Cut = {},
  use: (part: Part) => void = () => undefined,
) =>
  eachPiece(
    {
      audio: { bytes, seconds: undefined, mediatype: "audio/wav", extension: "wav" },
      options: { ...OPTIONS, ...options },
      call: {
        what: "dialog 1",
        signal,
        clock: manualClock(),
        progress: { saved: undefined, save: async () => undefined },
      },
      room: openRoom(1, ""),
    },
    async (piece, part) => {
      use(part);
      return { ...part, heard: heardIn(piece.bytes)?.seconds, ...piece };
    },
  );

test("a recording is cut in its silences, into mono MP3, without losing any of it", async () => {
  const recording = wav({
    seconds: 32,
    channels: 2,
    silences: [
      [8.5, 9.5],
      [21, 22.6],
    ],
  });
  const pieces = await cut(recording);
  expect(pieces.map(({ start, end }) => [start, end].map((at) => Math.round(at * 10) / 10))).toEqual([
    [0, 9],
    [9, 21.8],
    [21.8, 30],
    [30, 32],
  ]);
  for (const { start, end, heard, extension, isLast } of pieces) {
    expect(extension).toBe("mp3");
    expect(Math.abs((heard ?? 0) - (end - start))).toBeLessThan(0.2);
    expect(isLast).toBe(end > 31);
  }
});

test("without looking for silences it is cut in fixed steps", async () => {
  const recording = wav({ seconds: 25, silences: [[8.5, 9.5]] });
  const pieces = await cut(recording, { options: { use_silence_chunking: false } });
  expect(pieces.map(({ start }) => Math.round(start * 100) / 100)).toEqual([0, 10, 20]);
});

test.each([
  ["mp3", ["mp3"]],
  ["opus", ["ogg", "-c:a", "libopus"]],
  ["webm", ["webm", "-c:a", "libopus"]],
  ["mp4", ["mp4", "-movflags", "frag_keyframe+empty_moov"]],
] as const)("%s can be cut", async (_, format) => {
  expect(await cut(await encodedTone(15, format))).toHaveLength(2);
});

test("a container that claims to be longer than it is has as many pieces as there is sound", async () => {
  const pieces = await cut(wav({ seconds: 30 }).slice(0, 44 + 16_000 * 12));
  expect(pieces).toHaveLength(2);
});

test("what ffmpeg cannot read is bad media", async () => {
  const broken = await encodedTone(5, ["mp4", "-movflags", "frag_keyframe+empty_moov"]);
  for (const bytes of [broken.slice(0, 40), new Uint8Array(5_000), new TextEncoder().encode("hello")])
    await expect(cut(bytes)).rejects.toMatchObject({ code: "VCON_MEDIA_UNUSABLE", retryable: false });
});

test("a playlist is not followed: it could have other files of this machine read", async () => {
  const other = join(folder, "other.wav");
  await writeFile(other, wav({ seconds: 20 }));
  const list = (text: string) => cut(new TextEncoder().encode(text));
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:20\n#EXTINF:20,\n${other}\n#EXT-X-ENDLIST\n`;
  await expect(list(playlist)).rejects.toMatchObject({ code: "VCON_MEDIA_UNUSABLE" });
  await expect(list(`ffconcat version 1.0\nfile ${other}\n`)).rejects.toMatchObject({ code: "VCON_MEDIA_UNUSABLE" });
  await rm(other);
});

test("a missing program is named, with what to do", async () => {
  const options = { ffmpeg_path: "/nowhere/ffmpeg" };
  await expect(cut(wav({ seconds: 15 }), { options })).rejects.toMatchObject({
    code: "VCON_PLUGIN_MISSING",
    retryable: false,
    message: expect.stringMatching(/\/nowhere\/ffmpeg.*install ffmpeg/),
  });
});

test("a run that ends stops the program and leaves no files", async () => {
  const controller = new AbortController();
  const running = cut(wav({ seconds: 300 }), { signal: controller.signal });
  await expect.poll(async () => (await readdir(folder)).length).toBe(1);
  controller.abort(new Error("shutting down"));
  await expect(running).rejects.toThrow("shutting down");
});

test("a piece that fails leaves no files", async () => {
  const failing = cut(wav({ seconds: 25 }), {}, ({ start }) => {
    if (start > 0) throw new Error("the service is down");
  });
  await expect(failing).rejects.toThrow("the service is down");
});
