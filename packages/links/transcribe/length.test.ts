import { transcriptFor } from "@vcon-server/vcon";
import { expect, onTestFinished, test, vi } from "vitest";
import { pipedTone } from "../_shared/transcription/testing/sounds.ts";
import { chunked, formsOf, LONG, openAi, transcribed, world } from "./testing/world.ts";

/** Two files behind one another: players stop after the first, and the container does not say how long it is. */
const UNCLEAR = new Uint8Array(Buffer.concat([LONG, LONG]));

test("a recording of unknown length is played to find out whether it must be cut", async () => {
  const { fetch, openai } = world(undefined, UNCLEAR);
  const vcon = await transcribed({ fetch, options: chunked() });
  expect((await formsOf(openai)).map(({ file }) => file)).toEqual(
    Array.from({ length: 4 }, () => "audio.mp3 audio/mpeg"),
  );
  expect(vcon.dialog?.[0]?.duration).toBe(32);
  const short = world(undefined, UNCLEAR);
  await transcribed({ fetch: short.fetch, options: chunked({ max_chunk_duration: 33 }) });
  expect((await formsOf(short.openai)).map(({ file }) => file)).toEqual(["audio.wav audio/wav"]);
});

test.each([
  ["there is no program", { ffmpeg_path: "/nowhere/ffmpeg" }, {}],
  ["no file can be written for it", {}, { TMPDIR: "/nowhere" }],
])("where %s to tell its length, a recording is sent as it is without one", async (_, options, env) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { fetch, openai } = world({ transcript: "Hello." }, UNCLEAR);
  const vcon = await transcribed({ fetch, options: chunked(options) });
  expect((await formsOf(openai)).map(({ file }) => file)).toEqual(["audio.wav audio/wav"]);
  expect(vcon.dialog?.[0]?.duration).toBeUndefined();
  expect(transcriptFor(vcon, 0)?.text).toBe("Hello.");
});

test.each([
  ["too short", "sox's header of a pipe", 20, { minimum_duration: 3 }],
  ["too long", "sox's header of a pipe", 20, { maximum_duration: 60 }],
])("a recording is not taken for %s by %s", async (_, __, seconds, options) => {
  const { fetch } = world(undefined, await pipedTone(seconds, ["wav"]));
  const vcon = await transcribed({ fetch, options: openAi(options) });
  expect(vcon.dialog?.[0]?.duration).toBe(seconds);
  expect(transcriptFor(vcon, 0)?.text).toContain("20 seconds");
});
