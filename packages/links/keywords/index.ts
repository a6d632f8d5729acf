import { defineLink } from "@vcon-server/core";
import type { Vcon } from "@vcon-server/vcon";
import { z } from "zod";
import { ENGLISH, readerOf } from "../_shared/english.ts";
import { addReading, readingOptions } from "../_shared/local-analysis.ts";
import { type Keyword, keywordsOf } from "./ranking.ts";

const tagName = z.string().regex(/^[^:]+$/, "must not be empty and not contain a colon");

export default defineLink({
  name: "keywords",
  summary: "Finds the words and phrases that a conversation is about; it needs no service and no key.",
  options: z.strictObject({
    ...readingOptions("keywords", 5),
    max_keywords: z.int().min(1).max(200).default(10).describe("Keywords that are written at most."),
    max_phrase_words: z
      .int()
      .min(1)
      .max(6)
      .default(4)
      .describe("Words of a phrase at most; with 1 there are only single words."),
    min_count: z.int().min(1).default(1).describe("How often a keyword must occur."),
    min_score: z.number().min(0).max(1).default(0).describe("Score a keyword must have; the first one has 1."),
    skip_party_names: z.boolean().default(true).describe("Whether the names of the parties are left out."),
    stop_words: z
      .array(z.string().min(1))
      .default([])
      .describe("Further words that are left out, such as your company's name."),
    tag_top: z.int().min(0).max(50).default(0).describe("How many of the first keywords the vCon is tagged with."),
    tag_name: tagName.default("keyword").describe("Name of these tags; the keyword is the value."),
  }),
  dependencies: ENGLISH,
  setup: ({ deps }) => readerOf(deps),
  async run(context) {
    const { options } = context;
    const unwanted = unwantedWords(context.vcon, options);
    return addReading(context, "keywords", (said) => {
      const found = keywordsOf(said, { max_phrase_words: options.max_phrase_words, unwanted }).filter(
        ({ count, score }) => count >= options.min_count && score >= options.min_score,
      );
      if (found.length === 0) return undefined;
      const tags = found.slice(0, options.tag_top).map(({ keyword }) => ({ name: options.tag_name, value: keyword }));
      return { body: { json: found.slice(0, options.max_keywords).map(asJson) }, tags };
    });
  },
});

const asJson = ({ keyword, score, count }: Keyword) => ({ keyword, score, count });

interface Unwanted {
  readonly skip_party_names: boolean;
  readonly stop_words: readonly string[];
}

/** In lower case, each word of a name by itself. */
export function unwantedWords({ parties }: Vcon, { skip_party_names, stop_words }: Unwanted): ReadonlySet<string> {
  const names = skip_party_names ? (parties ?? []).flatMap(({ name }) => (typeof name === "string" ? name : [])) : [];
  return new Set([...names, ...stop_words].flatMap((words) => words.toLowerCase().split(/\s+/)));
}
