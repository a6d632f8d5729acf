import { VconError } from "@vcon-server/core";
import { z } from "zod";

/** Tokens one call has used. */
export interface TokenUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Those of the output that nobody sees. */
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

const Answer = z.looseObject({
  model: z.string().min(1).max(200).optional().catch(undefined),
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string().nullish(),
        message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
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
  if (choice.message.refusal) throw declined(doing, "refusal", "the model declines to answer");
  if (choice.finish_reason === "content_filter")
    throw declined(doing, "content_filter", "a content filter stops the answer");
  if (choice.finish_reason === "length")
    throw new VconError(
      "VCON_SERVICE_ANSWER",
      `${doing}: the answer is cut off; raise max_tokens, or choose a model with more room`,
      { retryable: false, details: { reason: "length" } },
    );
  const text = plainText(choice.message.content ?? "");
  if (text.length > LONGEST)
    throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer has over ${LONGEST} characters`, {
      retryable: false,
    });
  if (text === "") throw new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer is empty; it is tried again`);
  return { text, model, usage: usage && usageOf(usage) };
}

/** Characters: no model says that much, and no vCon should hold it. */
const LONGEST = 1_000_000;

/** Without what models that think aloud say first, and without what databases cannot hold. */
const plainText = (content: string): string =>
  content
    .replace(/^\s*<think>[\s\S]*?<\/think>/, "")
    .replaceAll("\0", "")
    .toWellFormed()
    .trim();

function usageOf(usage: NonNullable<z.output<typeof Answer>["usage"]>): TokenUsage {
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  return {
    input_tokens: usage.prompt_tokens,
    output_tokens: usage.completion_tokens,
    ...(reasoning > 0 && { reasoning_tokens: reasoning }),
  };
}
