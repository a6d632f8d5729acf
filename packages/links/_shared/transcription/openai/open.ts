import { openRoom } from "../room.ts";
import type { Transcription } from "../transcribe-dialogs.ts";
import { FULL_OF_AUDIO, type VendorNeeds } from "../vendor-needs.ts";
import { openAiTranscriber } from "./openai.ts";
import type { OpenAiOptions } from "./options.ts";

/** Recordings that are cut at a time: each takes a processor. */
const CUTTING = 2;

/** Everything runs with these options share. Opens no connection. */
export const openOpenAi = (options: OpenAiOptions, needs: VendorNeeds): Transcription => ({
  transcriber: openAiTranscriber(options, { ...needs, cutting: openRoom(CUTTING, "run more workers") }),
  options,
  minimumConfidence: 0,
  way: () => "server",
  room: openRoom(options.audio_memory_bytes, FULL_OF_AUDIO),
});
