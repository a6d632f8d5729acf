import { aiCredentials, type OpenAiModule, openAi } from "@vcon-server/services/ai";
import { z } from "zod";
import { askForTranscript, formFetch } from "../openai/ask.ts";
import type { Transcriber } from "../transcriber.ts";
import { languageOf } from "./listen.ts";
import { type DeepgramOptions, shownOptions } from "./options.ts";

/** Deepgram behind a LiteLLM proxy, which speaks OpenAI's audio transcription. */
export function proxied(
  options: DeepgramOptions,
  { openai, fetch }: { readonly openai: OpenAiModule; readonly fetch: typeof globalThis.fetch },
): Transcriber {
  const model = options.model ?? String(options.api["model"] ?? "nova-3");
  const { LITELLM_PROXY_URL, LITELLM_MASTER_KEY, timeout_secs } = options;
  const credentials = z.object(aiCredentials).parse({ LITELLM_PROXY_URL, LITELLM_MASTER_KEY, timeout_secs });
  const ai = openAi(credentials, { openai, fetch: formFetch(fetch) });
  const language = languageOf(options);
  return {
    vendor: "deepgram",
    model,
    work: "DEEPGRAM_TRANSCRIBE",
    shown: shownOptions(options),
    async ofAudio(audio, call) {
      const doing = `transcribing ${call.what} through LiteLLM`;
      const answer = await askForTranscript({ ai, doing, audio, parameters: { model, language } }, call);
      const { text } = answer.transcript;
      const usage =
        audio.seconds === undefined ? undefined : { unit: "seconds" as const, input: audio.seconds, output: 0 };
      return { ...answer, body: { transcript: text }, confidence: undefined, usage };
    },
  };
}
