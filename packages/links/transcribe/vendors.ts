import { openDeepgram } from "../_shared/transcription/deepgram/open.ts";
import { type DeepgramOptions, deepgramOptions } from "../_shared/transcription/deepgram/options.ts";
import { openOpenAi } from "../_shared/transcription/openai/open.ts";
import { type OpenAiOptions, openAiOptions } from "../_shared/transcription/openai/options.ts";
import type { Transcription } from "../_shared/transcription/transcribe-dialogs.ts";
import type { VendorNeeds } from "../_shared/transcription/vendor-needs.ts";

/** The vendors there are, with their options. */
export const VENDORS = { deepgram: deepgramOptions, openai: openAiOptions } as const;

export type VendorName = keyof typeof VENDORS;

export const VENDOR_NAMES = ["deepgram", "openai"] as const satisfies readonly VendorName[];

/** A vendor with options that the schema of the link has let through. */
export function openVendor(vendor: VendorName, written: unknown, needs: VendorNeeds): Transcription {
  switch (vendor) {
    case "deepgram": {
      const options: DeepgramOptions = deepgramOptions.parse(written);
      return openDeepgram(options, needs);
    }
    case "openai": {
      const options: OpenAiOptions = openAiOptions.parse(written);
      return openOpenAi(options, needs);
    }
  }
}
