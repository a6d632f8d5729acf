import { VconError } from "@vcon-server/core";
import { z } from "zod";
import { withoutReasoning } from "./reasoning.ts";

/** Tokens one call has used. */
export interface TokenUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Those of the output that were spent on reasoning. */
  readonly reasoning_tokens?: number;
}

/** What the model said. */
export interface Completion {
  readonly text: string;
  /** As the service names it, often more exactly than it was asked for. */
  readonly model: string | undefined;
  readonly usage: TokenUsage | undefined;
}

const count = z.int().min(0);

/** A piece of an answer in parts; services that reason send their thoughts as parts of other types. */
const Chunk = z.looseObject({ type: z.string(), text: z.string().nullish(), refusal: z.string().nullish() });

const Answer = z.looseObject({
  model: z.string().min(1).max(200).optional().catch(undefined),
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string().nullish(),
        message: z.looseObject({
          content: z.union([z.string(), z.array(Chunk)]).nullish(),
          refusal: z.string().nullish(),
        }),
      }),
    )
    .min(1),
  usage: z
    .looseObject({
      prompt_tokens: count,
      completion_tokens: count,
      completion_tokens_details: z.looseObject({ reasoning_tokens: count.optional() }).nullish().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

const declined = (doing: string, reason: string, words: string) =>
  new VconError("VCON_SERVICE_REFUSED", `${doing}: ${words}; set on_refusal to skip to go on without`, {
    details: { reason },
  });

/**
 * Reads a chat completion that may be anything. Throws `VCON_SERVICE_REFUSED` where the model or a filter declines
 * (`details.reason`: `refusal`, `content_filter`) and `VCON_SERVICE_ANSWER` where the answer is of no use; one that is
 * cut off is not worth another try.
 */
export function readCompletion(answer: unknown, doing: string): Completion {
  const parsed = Answer.safeParse(answer);
  const choice = parsed.data?.choices[0];
  if (!parsed.success || !choice)
    throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer is no chat completion; it is tried again`);
  const { model, usage } = parsed.data;
  const { content, refused } = joinChunks(choice.message.content ?? "");
  const finish = choice.finish_reason?.toLowerCase() ?? "";
  if (choice.message.refusal || refused || finish === "refusal")
    throw declined(doing, "refusal", "the model declines to answer");
  if (FILTERED.includes(finish)) throw declined(doing, "content_filter", "a content filter stops the answer");
  if (CUT_OFF.includes(finish))
    throw new VconError(
      "VCON_SERVICE_ANSWER",
      `${doing}: the answer is cut off; raise max_tokens, or choose a model with more room`,
      { retryable: false, details: { reason: "length" } },
    );
  const text = withoutReasoning(content).replaceAll("\0", "").toWellFormed().trim();
  if (text.length > LONGEST)
    throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer has over ${LONGEST} characters`, {
      retryable: false,
    });
  if (text === "") throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer is empty; it is tried again`);
  return { text, model, usage: usage && usageOf(usage) };
}

/** Characters: no model says that much, and no vCon should hold it. */
const LONGEST = 1_000_000;

/** Finish reasons of OpenAI, and of services that pass on those of Gemini, GLM and others. */
const FILTERED: readonly string[] = [
  "content_filter",
  "content-filter",
  "safety",
  "prohibited_content",
  "blocklist",
  "sensitive",
];
const CUT_OFF: readonly string[] = ["length", "max_tokens", "model_length"];

/** Types of the parts that are the answer; parts of every other type are thoughts, citations and the like. */
const SAID: readonly string[] = ["text", "output_text"];

function joinChunks(content: string | readonly z.output<typeof Chunk>[]) {
  if (typeof content === "string") return { content, refused: false };
  return {
    content: content.map(({ type, text }) => (SAID.includes(type) ? (text ?? "") : "")).join(""),
    refused: content.some(({ type, refusal }) => type === "refusal" || Boolean(refusal)),
  };
}

function usageOf(usage: NonNullable<z.output<typeof Answer>["usage"]>): TokenUsage {
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  return {
    input_tokens: usage.prompt_tokens,
    output_tokens: usage.completion_tokens,
    ...(reasoning > 0 && { reasoning_tokens: reasoning }),
  };
}
