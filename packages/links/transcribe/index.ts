import { defineLink } from "@vcon-server/core";
import { transcribeDialogs } from "../_shared/transcription/transcribe-dialogs.ts";
import { optionsOf, transcribeOptions } from "./options.ts";
import { openVendor } from "./vendors.ts";

export default defineLink({
  name: "transcribe",
  summary: "Transcribes recordings with the speech service of a vendor.",
  options: transcribeOptions,
  dependencies: { openai: () => import("openai") },
  effect: true,
  setup: ({ options, deps: { openai }, fetch }) => openVendor(options.vendor, optionsOf(options), { openai, fetch }),
  run: transcribeDialogs,
});
