import { createHash } from "node:crypto";
import { type Clock, VconError } from "@vcon-server/core";
import { type Ai, type OpenAiModule, openAi } from "@vcon-server/services/ai";
import type OpenAI from "openai";
import { type Answers, openAnswers } from "./answers.ts";
import { type Completion, readCompletion, type TokenUsage } from "./completion.ts";
import type { AnswerForm } from "./forms.ts";
import { habitsOf } from "./models.ts";
import type { ChatOptions } from "./options.ts";

/** What is asked. The operator's words are the system's; those of the conversation stand in the user's alone. */
export interface Question {
  readonly system: string;
  readonly user: string;
}

/** An answer of the wanted form. */
export interface Answer<T> {
  readonly value: T;
  /** Model that answered, as the service names it. */
  readonly model: string;
  readonly usage: TokenUsage | undefined;
  /** Whether it was paid for now; false when it was known already. */
  readonly paid: boolean;
}

/** A model that is asked the same kind of thing again and again. */
export interface Chat<T> {
  /** Who made the model. */
  readonly vendor: string;
  /** Every failure is a coded error; an answer of another form is `VCON_SERVICE_ANSWER` and is not kept. */
  ask(question: Question, within: { readonly signal: AbortSignal; readonly clock: Clock }): Promise<Answer<T>>;
}

interface Needs<T> {
  readonly openai: OpenAiModule;
  readonly fetch: typeof globalThis.fetch;
  readonly form: AnswerForm<T>;
  /** Temperature when the option is left out. */
  readonly usualTemperature?: number;
}

type Known<T> = Omit<Answer<T>, "paid">;

const MOST_ANSWERS = 1_000;
const MOST_BYTES = 8 * 2 ** 20;
/** Bytes of an entry besides its text. */
const ENTRY = 500;

/** What all runs of one configured step share. Opens no connection yet. */
export function openChat<T>(options: ChatOptions, { openai, fetch, form, usualTemperature }: Needs<T>): Chat<T> {
  const ai = openAi(options, { openai, fetch });
  const parameters = parametersOf(options, form, usualTemperature);
  const answers: Answers<Known<T> & { readonly size: number }> = openAnswers({
    entries: MOST_ANSWERS,
    bytes: MOST_BYTES,
    ms: options.cache_secs * 1000,
    sizeOf: ({ size }) => size,
  });
  const doing = `asking ${options.model}`;
  return {
    vendor: ai.vendorOf(options.model),
    async ask(question, { signal, clock }) {
      const key = keyOf(parameters, question);
      const { value: answer, fresh } = await answers.get(key, { signal, now: clock.now() }, async (limit) => {
        const completion = await complete(
          ai,
          { ...parameters, messages: messagesOf(question) },
          { doing, signal: limit, clock },
        );
        const read = form.read(completion.text);
        if ("unfit" in read)
          throw new VconError(
            "VCON_SERVICE_ANSWER",
            `${doing}: the answer is not of the wanted form: ${read.unfit}; it is tried again`,
          );
        const { model = options.model, usage, text } = completion;
        return { value: read.value, model, usage, size: ENTRY + 4 * text.length };
      });
      return { value: answer.value, model: answer.model, usage: answer.usage, paid: fresh };
    },
  };
}

type Body = OpenAI.ChatCompletionCreateParamsNonStreaming;
type Parameters = Omit<Body, "messages">;

interface Within {
  readonly doing: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

async function complete(ai: Ai, body: Body, { doing, ...within }: Within): Promise<Completion> {
  const answer: unknown = await ai.call(doing, within, (client, signal) =>
    client.chat.completions.create(body, { signal }),
  );
  return readCompletion(answer, doing);
}

/** What is sent besides the messages. What the options say is sent as it is; what they leave open depends on the model. */
export function parametersOf(
  options: ChatOptions,
  { wire }: Pick<AnswerForm<unknown>, "wire">,
  usual?: number,
): Parameters {
  const { model, reasoning_effort, verbosity, max_tokens } = options;
  const { reasons } = habitsOf(model);
  const temperature = options.temperature === undefined && !reasons ? usual : options.temperature;
  return {
    model,
    ...(typeof temperature === "number" && { temperature }),
    ...(reasoning_effort !== undefined && { reasoning_effort }),
    ...(verbosity !== undefined && { verbosity }),
    // the newer name is the only one that reasoning models take, the older one the only one that others know
    ...(max_tokens !== undefined && (reasons ? { max_completion_tokens: max_tokens } : { max_tokens })),
    ...(wire && { response_format: wire }),
  };
}

const messagesOf = ({ system, user }: Question): Body["messages"] => [
  ...(system === "" ? [] : [{ role: "system" as const, content: system }]),
  { role: "user", content: user },
];

/** Everything that the answer depends on; the service itself is the same for all questions. */
const keyOf = (parameters: Parameters, { system, user }: Question): string =>
  createHash("sha256")
    .update(JSON.stringify([parameters, system]))
    .update(user)
    .digest("base64");
