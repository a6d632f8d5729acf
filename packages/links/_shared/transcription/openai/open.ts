import { openRoom } from "../room.ts";
import type { Transcription } from "../transcribe-dialogs.ts";
import { FULL_OF_AUDIO, FULL_OF_PROGRAMS, PROGRAMS, type VendorNeeds } from "../vendor-needs.ts";
import { openAiTranscriber } from "./openai.ts";
import type { OpenAiOptions } from "./options.ts";

/** Everything runs with these options share. Opens no connection. */
export const openOpenAi = (options: OpenAiOptions, needs: VendorNeeds): Transcription => ({
  transcriber: openAiTranscriber(options, { ...needs, cutting: openRoom(PROGRAMS, FULL_OF_PROGRAMS) }),
  options,
  minimumConfidence: 0,
  way: () => "server",
  room: openRoom(options.audio_memory_bytes, FULL_OF_AUDIO),
  probing: openRoom(PROGRAMS, FULL_OF_PROGRAMS),
});
