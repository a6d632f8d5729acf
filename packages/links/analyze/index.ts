import { defineLink } from "@vcon-server/core";
import { checkCredentials } from "@vcon-server/services/ai";
import { type Json, jsonBody, textBody, withAnalysis } from "@vcon-server/vcon";
import { z } from "zod";
import { type Chat, openChat } from "../_shared/llm/chat.ts";
import { eachDialog } from "../_shared/llm/each-dialog.ts";
import {
  type AnswerForm,
  checkOf,
  type JsonSchema,
  jsonForm,
  schemaFormat,
  schemaOption,
} from "../_shared/llm/forms.ts";
import { chatOptions, temperature } from "../_shared/llm/options.ts";
import { sourceOptions } from "../_shared/source-text.ts";

const options = z
  .strictObject({
    prompt: z.string().default("").describe("What to do with the text; it stands before it."),
    analysis_type: z.string().min(1).default("summary").describe("Type of the analysis that is written."),
    model: z.string().min(1).default("gpt-3.5-turbo-16k").describe("Model, or on Azure the name of the deployment."),
    temperature: temperature(0),
    system_prompt: z
      .string()
      .default("You are a helpful assistant. Unless told otherwise, summarise the conversation you are given.")
      .describe("What the model is told about its task."),
    json_schema: schemaOption()
      .optional()
      .describe(
        "JSON Schema of the answer. The service is told to keep to it, and only an answer that fits is stored.",
      ),
    json_schema_strict: z
      .boolean()
      .optional()
      .describe(
        "Whether the service is asked to guarantee the schema (`strict`); unless given, where the schema leaves nothing open.",
      ),
    ...sourceOptions,
    ...chatOptions,
  })
  .superRefine(checkCredentials);

type Options = z.output<typeof options>;

/** What an answer becomes: a text, or a value that fits the schema. */
type Result = { readonly text: string } | { readonly json: Json };

const answerForm = ({ json_schema: schema, json_schema_strict: strict, analysis_type }: Options): AnswerForm<Result> =>
  schema
    ? jsonForm(schemaFormat(schema, titleOf(schema) ?? analysis_type, strict), checkOf(schema))
    : { read: (text) => ({ value: { text } }) };

const titleOf = ({ title }: JsonSchema): string | undefined => (typeof title === "string" ? title : undefined);

/** A schema that has an address gives it to what it describes. */
const addressOf = (schema: JsonSchema | undefined): { readonly schema?: string } =>
  typeof schema?.["$id"] === "string" ? { schema: schema["$id"] } : {};

export default defineLink({
  name: "analyze",
  summary: "Asks a language model about the text of each dialog and adds its answer as an analysis.",
  options,
  effect: true,
  dependencies: { openai: () => import("openai") },
  setup: ({ options, deps, fetch }): Chat<Result> =>
    openChat(options, { openai: deps.openai, fetch, form: answerForm(options), usualTemperature: 0 }),
  run(context) {
    const { options, run } = context;
    const { prompt, analysis_type: type, model } = options;
    return eachDialog(context, {
      what: "ANALYZE",
      isResult: (analysis) => analysis.type === type,
      ask: (text) => ({ system: options.system_prompt, user: prompt === "" ? text : `${prompt}\n\n${text}` }),
      add(vcon, { dialog, answer: { value }, origin: { vendor, product, facts } }) {
        const body = "json" in value ? jsonBody(value.json, run.jsonBodies) : textBody(value.text);
        const made = { vendor, product, ...addressOf(options.json_schema), vendor_schema: { model, prompt, ...facts } };
        return withAnalysis(vcon, { type, dialog, ...body, ...made });
      },
    });
  },
});
