import { defineLink } from "@vcon-server/core";
import { z } from "zod";
import { ENGLISH, readerOf } from "../_shared/english.ts";
import { addReading, readingOptions, type Said } from "../_shared/local-analysis.ts";
import { summaryOf } from "./ranking.ts";

export default defineLink({
  name: "summarize",
  summary: "Writes a summary of the conversation, made of its most telling sentences; it needs no service and no key.",
  options: z.strictObject({
    ...readingOptions("summary", 12),
    max_sentences: z.int().min(1).max(50).default(3).describe("Sentences of the summary at most."),
    max_summary_characters: z
      .int()
      .min(40)
      .max(10_000)
      .default(600)
      .describe("Characters of the summary at most; a sentence that does not fit is passed over."),
    speaker_names: z
      .boolean()
      .default(true)
      .describe("Whether each speaker's sentences stand in a line of their own, with the name in front."),
  }),
  dependencies: ENGLISH,
  setup: ({ deps }) => readerOf(deps),
  async run(context) {
    const { options } = context;
    return addReading(context, "summarize", (said) => {
      const sentences = summaryOf(said, options);
      return sentences.length === 0 ? undefined : { body: { text: written(sentences, options.speaker_names) } };
    });
  },
});

/** The sentences as a text; neighbours of one speaker in a line. */
export function written(said: readonly Said[], names: boolean): string {
  if (!names || said.every(({ turn }) => turn.speaker === undefined)) return said.map(({ text }) => text).join(" ");
  const lines: string[] = [];
  for (const [index, { text, turn }] of said.entries()) {
    const same = index > 0 && said[index - 1]?.turn.speaker === turn.speaker;
    if (same) lines.push(`${lines.pop()} ${text}`);
    else lines.push(turn.speaker === undefined ? text : `${turn.speaker}: ${text}`);
  }
  return lines.join("\n");
}
