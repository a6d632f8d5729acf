import type { OpenAiModule } from "@vcon-server/services/ai";

/** What a vendor is opened with. */
export interface VendorNeeds {
  readonly openai: OpenAiModule;
  readonly fetch: typeof globalThis.fetch;
}

/** What to do when recordings often wait for each other. */
export const FULL_OF_AUDIO = "raise audio_memory_bytes where memory allows";

/** Programs that measure or cut recordings at a time: each takes a processor. */
export const PROGRAMS = 2;
export const FULL_OF_PROGRAMS = "run more workers";
