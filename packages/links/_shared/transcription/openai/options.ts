import { aiCredentials, checkCredentials } from "@vcon-server/services/ai";
import { z } from "zod";
import { usageOptions } from "../../usage.ts";
import { mediaOptions } from "../media-options.ts";

/** What an answer may look like; which of them a model can is up to the model. */
const FORMATS = ["json", "verbose_json", "diarized_json"] as const;
export type AnswerFormat = (typeof FORMATS)[number];

export const PLAIN_MODEL = "gpt-4o-transcribe";
export const DIARIZING_MODEL = "gpt-4o-transcribe-diarize";

/** Options of vendor `openai`. */
export const openAiOptions = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .optional()
      .describe(
        `Model, or the name of the Azure deployment; \`${PLAIN_MODEL}\` unless given, with \`diarize\` \`${DIARIZING_MODEL}\`.`,
      ),
    language: z
      .string()
      .regex(/^[a-z]{2,3}$/, "must be a language code such as en")
      .optional()
      .describe("Language that is spoken (ISO 639-1, such as `en`); found out by the model unless given."),
    diarize: z.boolean().default(false).describe("Whether speakers are told apart; not every model can."),
    response_format: z
      .enum(FORMATS)
      .optional()
      .describe(
        "Form of the answer. By default what the model gives at most: `verbose_json` with times of words from Whisper, `diarized_json` with speakers, otherwise `json` with nothing but text.",
      ),
    prompt: z.string().min(1).optional().describe("Words that guide the model, such as names it should know."),
    temperature: z.number().min(0).max(1).optional().describe("Sampling temperature; the model's own unless given."),
    max_chunk_duration: z
      .number()
      .min(10)
      .max(900)
      .default(480)
      .describe("Seconds beyond which a recording is cut into pieces of about this length. Needs ffmpeg."),
    use_silence_chunking: z
      .boolean()
      .default(true)
      .describe("Whether it is cut in silences near the wanted length rather than exactly there."),
    silence_thresh: z.number().min(-100).max(0).default(-40).describe("dBFS below which it is silent."),
    silence_len: z.number().min(100).max(60_000).default(2000).describe("Milliseconds a silence has at least."),
    ffmpeg_path: z
      .string()
      .min(1)
      .default("ffmpeg")
      .describe("Program that cuts recordings; a path where it is in none of the usual folders."),
    ...mediaOptions(3),
    ...aiCredentials,
    ...usageOptions,
  })
  .superRefine(checkCredentials)
  .refine(
    ({ diarize, model = "" }) => !diarize || !/^(gpt-transcribe|gpt-4o(-mini)?-transcribe|whisper-1)$/.test(model),
    {
      path: ["model"],
      error: `cannot tell speakers apart: use ${DIARIZING_MODEL}, or leave diarize out`,
    },
  );

export type OpenAiOptions = z.output<typeof openAiOptions>;

/** Of the options what may stand in a vCon: a list of what is harmless, not of what is secret. */
export const shownOptions = (options: OpenAiOptions, model: string) => ({
  model,
  minimum_duration: options.minimum_duration,
  max_chunk_duration: options.max_chunk_duration,
  use_silence_chunking: options.use_silence_chunking,
  silence_thresh: options.silence_thresh,
  silence_len: options.silence_len,
  ...(options.diarize && { diarize: true }),
  ...(options.language !== undefined && { language: options.language }),
});
