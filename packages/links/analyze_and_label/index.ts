import { defineLink } from "@vcon-server/core";
import { checkCredentials } from "@vcon-server/services/ai";
import { type Json, jsonBody, type Tag, withAnalysis, withTags } from "@vcon-server/vcon";
import { z } from "zod";
import { type Chat, openChat } from "../_shared/llm/chat.ts";
import { eachDialog } from "../_shared/llm/each-dialog.ts";
import { formOf, responseFormat } from "../_shared/llm/forms.ts";
import { chatOptions, temperature } from "../_shared/llm/options.ts";
import { sourceOptions } from "../_shared/source-text.ts";

const SYSTEM = "You label conversations. You answer with one JSON object and nothing else.";
const PROMPT =
  'Find the labels that fit this conversation: its topics, intentions and notable events, each in one to three words. Answer with a JSON object that has one key, "labels": a list of strings.';

/** What every answer must have, whatever else it says. */
const Labelled = z.looseObject({ labels: z.array(z.string().max(200)).max(100) });

type Result = { readonly fit: z.output<typeof Labelled>; readonly json: Json };

/** A label `x` becomes the tag `x:x`, as the Python server writes it. */
export function tagsFrom(labels: readonly string[]): readonly Tag[] {
  const wanted = new Set(labels.map((label) => label.trim().replace(/\s+/g, " ")).filter((label) => label !== ""));
  return [...wanted].map((label) => ({ name: label, value: label }));
}

export default defineLink({
  name: "analyze_and_label",
  summary:
    "Asks a language model for labels of each dialog, and adds its answer as an analysis and the labels as tags.",
  options: z
    .strictObject({
      prompt: z
        .string()
        .min(1)
        .default(PROMPT)
        .describe("What to do with the text. It must ask for a JSON object with `labels`, a list of strings."),
      analysis_type: z.string().min(1).default("labeled_analysis").describe("Type of the analysis that is written."),
      model: z.string().min(1).default("gpt-4-turbo").describe("Model, or on Azure the name of the deployment."),
      temperature: temperature(0.2),
      response_format: responseFormat(),
      ...sourceOptions,
      ...chatOptions,
    })
    .superRefine(checkCredentials),
  effect: true,
  dependencies: { openai: () => import("openai") },
  setup: ({ options, deps, fetch }): Chat<Result> =>
    openChat(options, {
      openai: deps.openai,
      fetch,
      form: formOf(options.response_format, Labelled),
      usualTemperature: 0.2,
    }),
  run(context) {
    const { prompt, analysis_type: type, model } = context.options;
    const mode = context.run.jsonBodies;
    return eachDialog(context, {
      what: "ANALYZE_AND_LABEL",
      isResult: (analysis) => analysis.type === type,
      ask: (text) => ({ system: SYSTEM, user: `${prompt}\n\n${text}` }),
      add(vcon, { dialog, answer: { value }, origin: { vendor, product, facts } }) {
        const made = { vendor, product, vendor_schema: { model, prompt, ...facts } };
        const analysed = withAnalysis(vcon, { type, dialog, ...jsonBody(value.json, mode), ...made });
        return withTags(analysed, tagsFrom(value.fit.labels), { mode });
      },
    });
  },
});
