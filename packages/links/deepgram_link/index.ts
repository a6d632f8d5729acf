import { defineLink, namedOtherwise } from "@vcon-server/core";
import { openDeepgram } from "../_shared/transcription/deepgram/open.ts";
import { deepgramOptions } from "../_shared/transcription/deepgram/options.ts";
import { transcribeDialogs } from "../_shared/transcription/transcribe-dialogs.ts";

export default defineLink({
  name: "deepgram_link",
  summary: "Transcribes recordings with Deepgram.",
  hints: namedOtherwise({ api_key: "DEEPGRAM_KEY", deepgram_key: "DEEPGRAM_KEY" }),
  options: deepgramOptions,
  dependencies: { openai: () => import("openai") },
  effect: true,
  setup: ({ options, deps: { openai }, fetch }) => openDeepgram(options, { openai, fetch }),
  run: transcribeDialogs,
});
