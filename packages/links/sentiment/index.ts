import { defineLink } from "@vcon-server/core";
import { z } from "zod";
import { ENGLISH, readerOf } from "../_shared/english.ts";
import { addReading, readingOptions } from "../_shared/local-analysis.ts";
import { moodOf } from "./mood.ts";

const tagName = z.string().regex(/^[^:]+$/, "must not be empty and not contain a colon");

export default defineLink({
  name: "sentiment",
  summary:
    "Tells whether a conversation is negative, neutral or positive, for all and for each party; it needs no service and no key.",
  options: z.strictObject({
    ...readingOptions("sentiment", 3),
    negative_threshold: z
      .number()
      .min(-1)
      .lt(0)
      .default(-0.3)
      .describe("Score at which, and below which, it is negative."),
    positive_threshold: z
      .number()
      .gt(0)
      .max(1)
      .default(0.3)
      .describe("Score at which, and above which, it is positive."),
    per_party: z.boolean().default(true).describe("Whether each speaker gets a label and a score as well."),
    quotes: z
      .boolean()
      .default(true)
      .describe("Whether the most negative and the most positive sentence are written down."),
    tag: z.boolean().default(false).describe("Whether the vCon is tagged with the label, as in `sentiment:negative`."),
    tag_name: tagName.default("sentiment").describe("Name of that tag."),
  }),
  dependencies: ENGLISH,
  setup: ({ deps }) => readerOf(deps),
  async run(context) {
    const { options } = context;
    return addReading(context, "sentiment", (said) => {
      const mood = moodOf(said, options);
      const tags = options.tag ? [{ name: options.tag_name, value: mood.label }] : [];
      return { body: { json: mood }, tags };
    });
  },
});
