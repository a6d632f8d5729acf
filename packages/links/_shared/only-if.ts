import { type Content, decodeBody, parseTag, tagsOf, type Vcon } from "@vcon-server/vcon";
import { z } from "zod";

/** Option that lets a link work on some vCons only. */
export const onlyIf = {
  only_if: z
    .strictObject({
      section: z.enum(["attachments", "analysis", "dialog"]).describe("Where to look."),
      purpose: z.string().min(1).optional().describe("Purpose of the attachment, or type of the entry, to look at."),
      type: z.string().min(1).optional().describe("Same as `purpose`, which counts where both are given."),
      includes: z
        .string()
        .min(1)
        .describe("What its body must contain; for tags one whole tag, such as `category:sales`."),
    })
    .refine(({ purpose, type }) => purpose !== undefined || type !== undefined, "needs a purpose or a type")
    .optional()
    .describe("Works only on vCons that have this; the others go on unchanged."),
} as const;

type OnlyIf = z.output<(typeof onlyIf)["only_if"]>;

/** Whether the link is to work on this vCon. */
export function isWanted(vcon: Vcon, condition: OnlyIf): boolean {
  if (condition === undefined) return true;
  const { section, includes } = condition;
  const wanted = condition.purpose ?? condition.type;
  if (section === "attachments" && wanted === "tags") return hasTag(vcon, includes);
  const entries: readonly (Content | null)[] = vcon[section] ?? [];
  return entries.some((entry) => entry && isOf(entry, wanted) && bodyText(entry)?.includes(includes));
}

function hasTag(vcon: Vcon, written: string): boolean {
  const { name, value } = parseTag(written);
  return tagsOf(vcon).get(name)?.includes(value) === true;
}

/** Attachments had a type before they had a purpose. */
const isOf = (entry: Content, wanted: unknown): boolean => entry["purpose"] === wanted || entry["type"] === wanted;

/** JSON is looked through as text, however it is stored. */
function bodyText(entry: Content): string | undefined {
  const body = decodeBody(entry);
  if (body?.kind === "text") return body.text;
  if (body?.kind !== "json") return undefined;
  return typeof entry.body === "string" ? entry.body : JSON.stringify(body.value);
}
