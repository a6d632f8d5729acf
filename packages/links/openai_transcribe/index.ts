import { defineLink } from "@vcon-server/core";
import { openOpenAi } from "../_shared/transcription/openai/open.ts";
import { openAiOptions } from "../_shared/transcription/openai/options.ts";
import { transcribeDialogs } from "../_shared/transcription/transcribe-dialogs.ts";

export default defineLink({
  name: "openai_transcribe",
  summary: "Transcribes recordings with OpenAI or a service that is compatible with it.",
  options: openAiOptions,
  dependencies: { openai: () => import("openai") },
  effect: true,
  setup: ({ options, deps: { openai }, fetch }) => openOpenAi(options, { openai, fetch }),
  run: transcribeDialogs,
});
