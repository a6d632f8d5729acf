import { defineLink } from "@vcon-server/core";
import { checkCredentials } from "@vcon-server/services/ai";
import { type Analysis, decodeBody, type Json, jsonBody, withAnalysis, withTags } from "@vcon-server/vcon";
import { z } from "zod";
import { type Chat, openChat } from "../_shared/llm/chat.ts";
import { eachDialog } from "../_shared/llm/each-dialog.ts";
import { formOf, responseFormat } from "../_shared/llm/forms.ts";
import { habitsOf } from "../_shared/llm/models.ts";
import { chatOptions, temperature } from "../_shared/llm/options.ts";
import { sourceOptions } from "../_shared/source-text.ts";

const SYSTEM =
  'You check whether something is true of a conversation. You answer with one JSON object and nothing else: {"applies": true} or {"applies": false}.';

/** A word such as "false" is no answer: it would count as yes. */
const Verdict = z.looseObject({ applies: z.boolean() });

type Result = { readonly fit: z.output<typeof Verdict>; readonly json: Json };

const options = z
  .strictObject({
    tag_name: z
      .string()
      .min(1)
      .regex(/^[^:]+$/, "must not contain a colon")
      .describe("Name of the tag."),
    tag_value: z.string().min(1).describe("Value of the tag."),
    evaluation_question: z.string().min(1).describe("Question that must be answered with yes for the tag to be added."),
    analysis_type: z.string().min(1).default("tag_evaluation").describe("Type of the analysis that is written."),
    model: z.string().min(1).default("gpt-5").describe("Model, or on Azure the name of the deployment."),
    temperature: temperature(),
    response_format: responseFormat(),
    minimal_reasoning: z
      .boolean()
      .default(true)
      .describe("Whether a reasoning model thinks as little as it can, unless `reasoning_effort` says how much."),
    ...sourceOptions,
    ...chatOptions,
    verbosity: chatOptions.verbosity.describe(
      "How much the model says; `low` unless given, for models that can be told so.",
    ),
  })
  .superRefine(checkCredentials);

type Options = z.output<typeof options>;

/** What is left open is the least the model can be told. */
export function frugal(chosen: Options): Options {
  const { leastEffort, verbosity } = habitsOf(chosen.model);
  return {
    ...chosen,
    reasoning_effort: chosen.reasoning_effort ?? (chosen.minimal_reasoning ? leastEffort : undefined),
    verbosity: chosen.verbosity ?? (verbosity ? "low" : undefined),
  };
}

/** Which tag an earlier run checked. */
function tagIn(analysis: Analysis): string | undefined {
  const body = decodeBody(analysis);
  const value = body?.kind === "json" ? body.value : undefined;
  const parsed = z.looseObject({ tag: z.string() }).safeParse(value);
  return parsed.data?.tag;
}

export default defineLink({
  name: "check_and_tag",
  summary: "Asks a language model a yes-or-no question about each dialog, and adds a tag where the answer is yes.",
  hints: { rules: "one link asks one question: write tag_name, tag_value and evaluation_question" },
  options,
  effect: true,
  dependencies: { openai: () => import("openai") },
  setup: ({ options, deps, fetch }): Chat<Result> =>
    openChat(frugal(options), { openai: deps.openai, fetch, form: formOf(options.response_format, Verdict) }),
  run(context) {
    const { tag_name: name, tag_value: value, evaluation_question, analysis_type: type, model } = context.options;
    const { link, jsonBodies: mode } = context.run;
    const tag = `${name}:${value}`;
    return eachDialog(context, {
      what: "CHECK_AND_TAG",
      isResult: (analysis) => analysis.type === type && tagIn(analysis) === tag,
      ask: (text) => ({
        system: SYSTEM,
        user: `Question: ${evaluation_question}\n\nAnswer in JSON, by this conversation:\n\n${text}`,
      }),
      add(vcon, { dialog, answer, origin: { vendor, product, facts } }) {
        const { applies } = answer.value.fit;
        const made = { vendor, product, vendor_schema: { model, evaluation_question, ...facts } };
        const body = jsonBody({ link_name: link, tag, applies }, mode);
        const checked = withAnalysis(vcon, { type, dialog, ...body, ...made });
        return applies ? withTags(checked, [{ name, value }], { mode }) : checked;
      },
    });
  },
});
