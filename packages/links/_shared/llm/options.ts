import { aiCredentials } from "@vcon-server/services/ai";
import { z } from "zod";
import { onlyIf } from "../only-if.ts";
import { sampling } from "../sampling.ts";
import { usageOptions } from "../usage.ts";
import { EFFORTS } from "./models.ts";

/** Options of every link that asks a language model, besides the model and what it is asked. */
export const chatOptions = {
  reasoning_effort: z
    .enum(EFFORTS)
    .optional()
    .describe("How much a reasoning model thinks; which values there are depends on the model. Its own unless given."),
  verbosity: z
    .enum(["low", "medium", "high"])
    .optional()
    .describe("How much a model that can be told so says. Its own unless given."),
  max_tokens: z.int().positive().optional().describe("Tokens an answer may have, thinking included."),
  max_characters: z
    .int()
    .min(100)
    .optional()
    .describe("Characters of text to send at most; what is longer is cut where a sentence or paragraph ends."),
  on_refusal: z
    .enum(["fail", "skip"])
    .default("fail")
    .describe("What to do when the model or a content filter declines: fail the vCon, or go on without the analysis."),
  cache_secs: z
    .number()
    .min(0)
    .default(3600)
    .describe("Seconds a process answers the same question about the same text by itself; 0 asks every time."),
  ...onlyIf,
  ...sampling,
  ...usageOptions,
  ...aiCredentials,
} as const;

/** Temperature of the answer; `usual` is what counts when the option is left out. */
export const temperature = (usual?: number) =>
  z
    .number()
    .min(0)
    .max(2)
    .nullable()
    .optional()
    .describe(
      usual === undefined
        ? "Randomness of the answer, 0 to 2; the model's own unless given."
        : `Randomness of the answer, 0 to 2: ${usual} unless given, except for reasoning models, which take only their own; null sends none.`,
    );

export type ChatOptions = z.output<z.ZodObject<typeof chatOptions>> & {
  readonly model: string;
  readonly temperature?: number | null | undefined;
};
