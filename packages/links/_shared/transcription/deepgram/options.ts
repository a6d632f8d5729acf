import { secret, serviceUrl } from "@vcon-server/core";
import { aiCredentials } from "@vcon-server/services/ai";
import { z } from "zod";
import { usageOptions } from "../../usage.ts";
import { mediaOptions } from "../media-options.ts";

const DEEPGRAM_URL = "https://api.deepgram.com";

interface LiteLlm {
  readonly LITELLM_PROXY_URL?: string | undefined;
  readonly LITELLM_MASTER_KEY?: string | undefined;
}

/** Whether it is Deepgram itself, in whatever region, rather than one of one's own. */
export const isHosted = (url: string): boolean => /(^|\.)deepgram\.com$/.test(new URL(url).hostname);

/** Whether the options name a LiteLLM proxy completely; it comes before Deepgram itself, as in the Python server. */
export const isProxied = ({ LITELLM_PROXY_URL, LITELLM_MASTER_KEY }: LiteLlm): boolean =>
  LITELLM_PROXY_URL !== undefined && LITELLM_MASTER_KEY !== undefined;

const NO_KEY =
  "has no complete credentials: set DEEPGRAM_KEY, or DEEPGRAM_URL of a service of your own, or LITELLM_PROXY_URL and LITELLM_MASTER_KEY";

const parameter = z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]);

const CALLBACK = "cannot be used: the answer would go elsewhere";

const api = z
  .record(z.string().min(1), parameter)
  .superRefine((parameters, context) => {
    for (const name of ["callback", "callback_method"])
      if (name in parameters) context.addIssue({ code: "custom", path: [name], message: CALLBACK });
  })
  .default({});

/** Options of vendor `deepgram`, and of `deepgram_link`. */
export const deepgramOptions = z
  .strictObject({
    DEEPGRAM_KEY: secret()
      .regex(/^[\x21-\x7e]+$/, "must be one word")
      .optional()
      .describe("API key of Deepgram."),
    DEEPGRAM_URL: serviceUrl()
      .default(DEEPGRAM_URL)
      .describe("Address of the service: another region, or a Deepgram of your own, which may need no key."),
    api: api.describe(
      "Parameters of Deepgram, passed on as they are: `model`, `language`, `detect_language`, `smart_format`, `diarize`, `multichannel`, `utterances`, `keyterm` and so on.",
    ),
    model: z
      .string()
      .min(1)
      .optional()
      .describe("Model where `api` names none, and the name the LiteLLM proxy knows it by; `nova-3` unless given."),
    audio_source: z
      .enum(["auto", "url", "bytes"])
      .default("auto")
      .describe(
        "Who fetches a recording that is somewhere else: Deepgram (`url`), this server, which then sends the audio (`bytes`), or what suits it (`auto`).",
      ),
    minimum_confidence: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("Confidence a transcript must have; of one with less only a note is kept."),
    ...mediaOptions(60),
    timeout_secs: z.number().positive().default(120).describe("Seconds transcribing one recording may take."),
    LITELLM_PROXY_URL: aiCredentials.LITELLM_PROXY_URL,
    LITELLM_MASTER_KEY: aiCredentials.LITELLM_MASTER_KEY,
    ...usageOptions,
  })
  .superRefine((options, context) => {
    const { LITELLM_PROXY_URL, LITELLM_MASTER_KEY, DEEPGRAM_KEY } = options;
    // recordings must not go to a service that nobody meant
    if ((LITELLM_PROXY_URL === undefined) !== (LITELLM_MASTER_KEY === undefined))
      context.addIssue({
        code: "custom",
        message: "names half a LiteLLM proxy: give LITELLM_PROXY_URL and LITELLM_MASTER_KEY, or neither",
      });
    else if (DEEPGRAM_KEY === undefined && isHosted(options.DEEPGRAM_URL) && !isProxied(options))
      context.addIssue({ code: "custom", message: NO_KEY });
  });

export type DeepgramOptions = z.output<typeof deepgramOptions>;

/** Parameters that say how a transcript came to be, and are worth keeping beside it. */
const SHOWN: readonly string[] = [
  "model",
  "version",
  "tier",
  "language",
  "detect_language",
  "smart_format",
  "punctuate",
  "paragraphs",
  "utterances",
  "diarize",
  "diarize_version",
  "multichannel",
  "numerals",
  "measurements",
  "dictation",
  "filler_words",
  "profanity_filter",
  "redact",
  "encoding",
  "sample_rate",
  "channels",
];

/** Of the options what may stand in a vCon: a list of what is harmless, not of what is secret. */
export const shownOptions = ({ api, minimum_duration, minimum_confidence }: DeepgramOptions) => ({
  minimum_duration,
  minimum_confidence,
  api: Object.fromEntries(Object.entries(api).filter(([name]) => SHOWN.includes(name))),
});
