import { sampleVcon } from "@vcon-server/core/testing";
import { withAnalysis, withAttachment, withTags } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { z } from "zod";
import { isWanted, onlyIf } from "./only-if.ts";

const schema = z.strictObject(onlyIf);
const condition = (only_if: z.input<typeof schema>["only_if"]) => schema.parse({ only_if }).only_if;

const plain = sampleVcon();
const tagged = withTags(plain, [
  { name: "category", value: "sales" },
  { name: "vip", value: "" },
]);
const summary = withAnalysis(plain, { type: "summary", dialog: 0, body: "They want a refund.", encoding: "none" });

test("without a condition every vCon is wanted", () => {
  expect(isWanted(plain, condition(undefined))).toBe(true);
});

test.each([
  ["category:sales", true],
  ["category", false],
  ["category:sale", false],
  ["vip", true],
  ["ategory:sales", false],
])("of tags a whole one counts: %s %s", (includes, wanted) => {
  expect(isWanted(tagged, condition({ section: "attachments", type: "tags", includes }))).toBe(wanted);
  expect(isWanted(plain, condition({ section: "attachments", purpose: "tags", includes }))).toBe(false);
});

test("of other bodies a part counts", () => {
  expect(isWanted(summary, condition({ section: "analysis", type: "summary", includes: "refund" }))).toBe(true);
  expect(isWanted(summary, condition({ section: "analysis", type: "summary", includes: "invoice" }))).toBe(false);
  expect(isWanted(summary, condition({ section: "analysis", type: "other", includes: "refund" }))).toBe(false);
  expect(isWanted(plain, condition({ section: "dialog", type: "text", includes: "hello" }))).toBe(true);
});

test.each(["text", "value"])("JSON counts as text, stored as %s", (how) => {
  const value = { mood: "bad" };
  const body = how === "text" ? JSON.stringify(value) : value;
  const vcon = withAnalysis(plain, { type: "mood", body, encoding: "json" });
  expect(isWanted(vcon, condition({ section: "analysis", type: "mood", includes: '"mood":"bad"' }))).toBe(true);
});

test("an attachment is found by its purpose or by the older type, and purpose comes before type", () => {
  const older = withAttachment(plain, { type: "note", body: "call back", encoding: "none" });
  const newer = withAttachment(plain, { purpose: "note", body: "call back", encoding: "none" });
  for (const vcon of [older, newer]) {
    expect(isWanted(vcon, condition({ section: "attachments", type: "note", includes: "call" }))).toBe(true);
    expect(isWanted(vcon, condition({ section: "attachments", purpose: "x", type: "note", includes: "call" }))).toBe(
      false,
    );
  }
});

test("bytes and bodies elsewhere hold no text, and missing sections none at all", () => {
  const bytes = withAttachment(plain, { purpose: "note", body: "aGVsbG8", encoding: "base64url" });
  const elsewhere = withAttachment(plain, { purpose: "note", url: "https://x/hello" });
  for (const vcon of [bytes, elsewhere, plain])
    expect(isWanted(vcon, condition({ section: "attachments", type: "note", includes: "hello" }))).toBe(false);
});

test.each([
  [{ section: "atachments", type: "tags", includes: "x" }, "section"],
  [{ section: "attachments", includes: "x" }, "needs a purpose or a type"],
  [{ section: "attachments", type: "tags" }, "includes"],
  [{ section: "attachments", type: "tags", includes: "x", excludes: "y" }, "excludes"],
])("the condition %o is refused", (only_if, message) => {
  expect(() => schema.parse({ only_if })).toThrow(message);
});
