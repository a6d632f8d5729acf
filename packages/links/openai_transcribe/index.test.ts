import { fetchFrom, manualClock, sampleVcon, testLink } from "@vcon-server/core/testing";
import { sampleAudio } from "@vcon-server/core/testing/services/audio";
import { fakeTranscription } from "@vcon-server/core/testing/services/openai-audio";
import { bytesBody, transcriptFor } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import openaiTranscribe from "./index.ts";

const call = sampleVcon({ dialog: [{ type: "recording", mediatype: "audio/wav", ...bytesBody(sampleAudio(4)) }] });

test("transcribes with the flat options of the Python server, as vendor openai of transcribe does", async () => {
  const service = fakeTranscription({ key: "sk-right", transcript: "Where is my parcel?" });
  const outcome = await testLink(openaiTranscribe, {
    vcon: call,
    options: { OPENAI_API_KEY: "sk-right", model: "whisper-1" },
    fetch: fetchFrom(service.answer),
    clock: manualClock(),
  });
  expect(outcome.kind).toBe("forward");
  if (!outcome.vcon) throw new Error("no vCon");
  expect(transcriptFor(outcome.vcon, 0)?.text).toBe("Where is my parcel?");
  expect(outcome.vcon.analysis?.map(({ type, vendor }) => `${type} by ${vendor}`)).toEqual([
    "transcript by openai",
    "wtf_transcription by openai",
  ]);
});

test.each([
  [{}, /credentials/],
  [{ OPENAI_API_KEY: "x", vendor: "openai" }, /vendor/],
])("the options %o are refused", (options, message) => {
  expect(() => openaiTranscribe.options.parse(options)).toThrow(message);
});
