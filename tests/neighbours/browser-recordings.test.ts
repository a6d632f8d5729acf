import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fetchFrom, manualClock, sampleVcon, testLink } from "@vcon-server/core/testing";
import { fakeTranscription } from "@vcon-server/core/testing/services/openai-audio";
import transcribe from "@vcon-server/links/transcribe";
import { bytesBody } from "@vcon-server/vcon";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startChromium } from "../stage/chromium.ts";

/** Records a tone in every format the browser has, in one go and in slices, for three seconds. */
const RECORD = `(async () => {
  const context = new AudioContext();
  await context.resume();
  const [tone, sink] = [context.createOscillator(), context.createMediaStreamDestination()];
  tone.connect(sink);
  tone.start();
  const record = async (type, slice) => {
    const recorder = new MediaRecorder(sink.stream, { mimeType: type });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
    recorder.start(slice);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    recorder.stop();
    await stopped;
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return { type, slice: slice ?? 0, base64: bytes.toBase64?.() ?? btoa(String.fromCharCode(...bytes)) };
  };
  const types = ["audio/webm;codecs=opus", "audio/mp4"].filter((type) => MediaRecorder.isTypeSupported(type));
  return Promise.all(types.flatMap((type) => [undefined, 500].map((slice) => record(type, slice))));
})()`;

interface Recorded {
  readonly type: string;
  readonly slice: number;
  readonly base64: string;
}

let recordings: readonly Recorded[];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vcs-browser-"));
  const browser = await startChromium({ rules: "" });
  try {
    recordings = (await browser.run("data:text/html,<p>recorder", RECORD)) as readonly Recorded[];
  } finally {
    await browser.close();
  }
});
afterAll(() => rm(folder, { recursive: true }));

/** Seconds of sound that ffmpeg decodes. */
async function decode(bytes: Uint8Array): Promise<number> {
  const file = join(folder, "recording");
  await writeFile(file, bytes);
  const { stdout } = await promisify(execFile)(
    "ffmpeg",
    ["-v", "error", "-i", file, "-ac", "1", "-ar", "8000", "-f", "s16le", "-"],
    { encoding: "buffer" },
  );
  return stdout.length / 2 / 8_000;
}

test("what Chromium's MediaRecorder writes, which says no length, is transcribed and as long as it sounds", async () => {
  expect(recordings.map(({ type, slice }) => `${type} ${slice}`)).toEqual([
    "audio/webm;codecs=opus 0",
    "audio/webm;codecs=opus 500",
    "audio/mp4 0",
    "audio/mp4 500",
  ]);
  for (const { type, base64 } of recordings) {
    const bytes = new Uint8Array(Buffer.from(base64, "base64"));
    const vcon = sampleVcon({ dialog: [{ type: "recording", mediatype: type, ...bytesBody(bytes) }] });
    const outcome = await testLink(transcribe, {
      vcon,
      options: {
        vendor: "openai",
        vendor_options: { OPENAI_API_KEY: "sk-1", minimum_duration: 1, ffmpeg_path: "/nowhere" },
      },
      fetch: fetchFrom(fakeTranscription({ transcript: "A tone." }).answer),
      clock: manualClock(),
    });
    expect(outcome.vcon?.analysis?.map((one) => one.type)).toEqual(["transcript", "wtf_transcription"]);
    const decoded = await decode(bytes);
    expect(decoded).toBeGreaterThan(1);
    expect(Math.abs((outcome.vcon?.dialog?.[0]?.duration ?? 0) - decoded)).toBeLessThan(0.15);
  }
});
