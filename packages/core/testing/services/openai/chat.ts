import { z } from "zod";
import type { Fault } from "../service.ts";
import { badRequest, contextTooLong, Refused } from "./errors.ts";
import { factsOfModel } from "./models.ts";

const Message = z.looseObject({ role: z.string(), content: z.unknown() });

const ResponseFormat = z.union([
  z.object({ type: z.enum(["text", "json_object"]) }),
  z.object({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
      schema: z.record(z.string(), z.unknown()).optional(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const ChatBody = z.looseObject({
  model: z.string().min(1).optional(),
  messages: z.array(Message).min(1),
  temperature: z.number().min(0).max(2).nullish(),
  response_format: ResponseFormat.optional(),
  reasoning_effort: z.string().nullish(),
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
});

/** A chat completion that was asked for. */
export interface ChatRequest extends z.output<typeof ChatBody> {
  /** Of the body, or the name of the deployment. */
  readonly model: string;
  /** Text of the last user message, the usual thing to answer by. */
  readonly text: string;
  /** Text of the system messages. */
  readonly system: string;
}

/** What the model says: text alone, or with everything that can be special about it. */
export type ChatReply = string | ChatAnswer | { readonly fault: Fault };

export interface ChatAnswer {
  readonly content?: string | null;
  /** The model declines. */
  readonly refusal?: string;
  /** Defaults to `stop`. */
  readonly finish?: "stop" | "length" | "content_filter" | "tool_calls";
  readonly usage?: { readonly prompt: number; readonly completion: number; readonly reasoning?: number };
}

/** The request in the body; throws how the services refuse it. */
export function readChat(body: unknown, deployment: string | undefined): ChatRequest {
  const parsed = ChatBody.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const param = issue?.path.join(".") || "messages";
    throw new Refused(badRequest(`Invalid value for '${param}': ${issue?.message}`, param, "invalid_value"));
  }
  const model = deployment ?? parsed.data.model;
  if (model === undefined) throw new Refused(badRequest("you must provide a model parameter"));
  const texts = (role: RegExp) => parsed.data.messages.filter((one) => role.test(one.role)).map(textOf);
  const request = {
    ...parsed.data,
    model,
    text: texts(/^user$/).at(-1) ?? "",
    system: texts(/^(system|developer)$/).join("\n"),
  };
  const unfit = unfitFormat(request) ?? unfitParameter(request);
  if (unfit) throw new Refused(unfit);
  return request;
}

function textOf({ content }: z.output<typeof Message>): string {
  if (typeof content === "string") return content;
  const parts = z.array(z.looseObject({ text: z.string() })).safeParse(content);
  return parts.success ? parts.data.map(({ text }) => text).join("") : "";
}

/** Whether the wanted form of the answer is one the services take. */
function unfitFormat({ response_format: format, messages }: ChatRequest): Fault | undefined {
  if (format?.type === "json_object" && !messages.some((message) => /json/i.test(textOf(message))))
    return badRequest(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      "messages",
    );
  if (format?.type !== "json_schema" || !format.json_schema.strict) return undefined;
  const wrong = looseness(format.json_schema.schema ?? {}, []);
  return wrong === undefined
    ? undefined
    : badRequest(`Invalid schema for response_format '${format.json_schema.name}': ${wrong}`, "response_format");
}

/** What strict mode dislikes about a schema: objects must be closed, and all their members required. */
function looseness(schema: unknown, path: readonly string[]): string | undefined {
  const node = z.looseObject({}).safeParse(schema);
  if (!node.success) return undefined;
  const { type, properties = {}, additionalProperties, required, items } = node.data;
  const at = `In context=(${path.map((part) => `'${part}'`).join(", ")})`;
  const names = Object.keys(properties as object);
  if (type === "object") {
    if (additionalProperties !== false)
      return `${at}, 'additionalProperties' is required to be supplied and to be false.`;
    const missing = names.filter((name) => !(Array.isArray(required) && required.includes(name)));
    if (missing.length > 0)
      return `${at}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing[0]}'.`;
  }
  const inner = Object.entries(properties as object).map(([name, one]) =>
    looseness(one, [...path, "properties", name]),
  );
  return [...inner, items === undefined ? undefined : looseness(items, [...path, "items"])].find(
    (wrong) => wrong !== undefined,
  );
}

/** Parameters that a model of this name does not take. */
function unfitParameter(request: ChatRequest): Fault | undefined {
  const { model, temperature, reasoning_effort: effort, verbosity, max_tokens } = request;
  const facts = factsOfModel(model);
  if (facts.fixedTemperature && temperature !== undefined && temperature !== null && temperature !== 1)
    return badRequest(
      `Unsupported value: 'temperature' does not support ${temperature} with this model. Only the default (1) value is supported.`,
      "temperature",
      "unsupported_value",
    );
  if (facts.fixedTemperature && max_tokens)
    return badRequest(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      "max_tokens",
      "unsupported_parameter",
    );
  if (effort && facts.efforts.length === 0)
    return badRequest("Unrecognized request argument supplied: reasoning_effort");
  if (effort && !facts.efforts.includes(effort))
    return badRequest(
      `Unsupported value: '${effort}' is not supported with the '${model}' model. Supported values are: ${facts.efforts.map((one) => `'${one}'`).join(", ")}.`,
      "reasoning_effort",
      "unsupported_value",
    );
  if (verbosity && verbosity !== "medium" && !facts.verbosity)
    return badRequest(
      `Unsupported value: '${verbosity}' is not supported with the '${model}' model. Supported values are: 'medium'.`,
      "verbosity",
      "unsupported_value",
    );
  return undefined;
}

/** Tokens of a text, roughly: four characters each. */
export const tokensIn = (text: string): number => Math.ceil(text.length / 4);

/** Refuses what is longer than the model can take. */
export function checkLength({ messages }: ChatRequest, limit: number): void {
  const tokens = tokensIn(messages.map(textOf).join(""));
  if (tokens > limit) throw new Refused(contextTooLong(limit, tokens));
}

/** The completion as it goes over the wire. */
export function completionOf(
  request: ChatRequest,
  answer: ChatAnswer,
  azure: boolean,
): Readonly<Record<string, unknown>> {
  const { content = null, refusal = null, finish = "stop", usage } = answer;
  const prompt = usage?.prompt ?? tokensIn(request.messages.map(textOf).join(""));
  const completion = usage?.completion ?? tokensIn(content ?? refusal ?? "");
  const safe = { hate: { filtered: false, severity: "safe" } };
  return {
    id: `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content, refusal, annotations: [] },
        logprobs: null,
        finish_reason: finish,
        ...(azure && { content_filter_results: safe }),
      },
    ],
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: usage?.reasoning ?? 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    service_tier: "default",
    system_fingerprint: "fp_fake",
    ...(azure && { prompt_filter_results: [{ prompt_index: 0, content_filter_results: safe }] }),
  };
}

/** What is said when the test says nothing: of the wanted form, and the same for the same question. */
export function usualAnswer({ response_format: format, text }: ChatRequest): string {
  if (format?.type === "json_schema") return JSON.stringify(exampleOf(format.json_schema.schema ?? {}));
  const said = `An answer to ${text.length} characters.`;
  return format?.type === "json_object" ? JSON.stringify({ answer: said, labels: ["example"], applies: true }) : said;
}

/** A value that fits the schema, for the usual kinds of it. */
export function exampleOf(schema: unknown): unknown {
  const node = z.looseObject({}).safeParse(schema);
  if (!node.success) return null;
  const { const: only, enum: choices, type, properties, items, anyOf } = node.data;
  if (only !== undefined) return only;
  if (Array.isArray(choices)) return choices[0];
  if (Array.isArray(anyOf)) return exampleOf(anyOf[0]);
  switch (Array.isArray(type) ? type[0] : type) {
    case "object":
      return Object.fromEntries(Object.entries(properties ?? {}).map(([name, one]) => [name, exampleOf(one)]));
    case "array":
      return [exampleOf(items ?? { type: "string" })];
    case "number":
    case "integer":
      return 1;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return "text";
  }
}
