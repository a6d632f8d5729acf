import type { Parameters } from "./ask.ts";
import { type AnswerFormat, DIARIZING_MODEL, type OpenAiOptions, PLAIN_MODEL } from "./options.ts";

/** The model that is asked. */
export const modelOf = ({ model, diarize }: Pick<OpenAiOptions, "model" | "diarize">): string =>
  model ?? (diarize ? DIARIZING_MODEL : PLAIN_MODEL);

type Asked = Pick<OpenAiOptions, "model" | "diarize" | "language" | "prompt" | "temperature" | "response_format">;

/** What is sent besides the audio: each model knows other parameters, and refuses the rest. */
export function parametersOf(options: Asked): Parameters {
  const model = modelOf(options);
  const response_format = options.response_format ?? formatOf(model, options.diarize);
  const { language, prompt, temperature } = options;
  return {
    model,
    response_format,
    language,
    prompt,
    temperature,
    ...(response_format === "verbose_json" && { timestamp_granularities: ["word", "segment"] as const }),
    // needed for everything longer than 30 seconds
    ...(response_format === "diarized_json" && { chunking_strategy: "auto" as const }),
    // takes the place of `language` there
    ...(model === "gpt-transcribe" && language !== undefined && { language: undefined, languages: [language] }),
  };
}

/** A deployment may have any name: what does not say otherwise gives text alone, which every model can. */
function formatOf(model: string, diarize: boolean): AnswerFormat {
  if (diarize || /diarize/i.test(model)) return "diarized_json";
  return /whisper/i.test(model) ? "verbose_json" : "json";
}
