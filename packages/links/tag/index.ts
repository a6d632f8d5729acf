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
  options: z.strictObject({
    tags: z.array(option).min(1).describe("Tags to add: a word, `name:value`, or an object with `name` and `value`."),
  }),
  run: ({ vcon, options, run }) => forward(withTags(vcon, options.tags.map(tagFrom), { mode: run.jsonBodies })),
});
