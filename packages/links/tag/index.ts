import { defineLink, forward } from "@vcon-server/core";
import { type Tag, withTags } from "@vcon-server/vcon";
import { z } from "zod";

const part = (what: string) => z.string().min(1).describe(what);

const option = z.union([
  z.string().min(1),
  z.strictObject({
    name: part("Name of the tag.").regex(/^[^:]+$/, "must not contain a colon"),
    value: part("Its value."),
  }),
]);

/** A list of tags, or a map of names with their values. */
const tags = z.union([
  z.array(option).min(1),
  z
    .record(z.string().regex(/^[^:]+$/, "must not contain a colon"), z.string().min(1))
    .refine((map) => Object.keys(map).length > 0, "must hold at least one tag"),
]);

const listTags = (written: z.output<typeof tags>): readonly z.output<typeof option>[] =>
  Array.isArray(written) ? written : Object.entries(written).map(([name, value]) => ({ name, value }));

/** A word `t` means the tag `t:t`, as the Python server writes it; `name:value` and objects say both parts. */
export function tagFrom(written: z.output<typeof option>): Tag {
  if (typeof written !== "string") return written;
  const colon = written.indexOf(":");
  return colon > 0
    ? { name: written.slice(0, colon), value: written.slice(colon + 1) }
    : { name: written, value: written };
}

export default defineLink({
  name: "tag",
  summary: "Adds tags to a vCon; those it has already are not added again.",
  hints: {
    tag_from: "tags are fixed; to tag by content use check_and_tag or analyze_and_label",
    tag: "it is called tags",
  },
  options: z.strictObject({
    tags: tags.describe(
      "Tags to add, as a list of words, `name:value`, and objects with `name` and `value`, or as a map of names with their values.",
    ),
  }),
  run: ({ vcon, options, run }) =>
    forward(withTags(vcon, listTags(options.tags).map(tagFrom), { mode: run.jsonBodies })),
});
