import fc from "fast-check";
import { expect, test } from "vitest";
import { cutText } from "./cut-text.ts";

const filler = (length: number) => "x".repeat(length);

test.each([
  ["between paragraphs", `${filler(90)}\n\n${filler(5)}. ${filler(50)}`, filler(90)],
  ["between lines", `${filler(85)}\n${filler(5)}. ${filler(50)}`, filler(85)],
  ["between sentences", `${filler(88)}. ${filler(5)} ${filler(50)}`, `${filler(88)}.`],
  ["after a quotation", `${filler(88)}.” ${filler(50)}`, `${filler(88)}.”`],
  ["between words", `${filler(90)} ${filler(50)}`, filler(90)],
  ["anywhere, where nothing is near", `${filler(50)} ${filler(100)}`, `${filler(50)} ${filler(49)}`],
])("a long text ends %s", (_, text, cut) => {
  expect(cutText(text, 100)).toBe(cut);
});

test("what fits stays as it is", () => {
  expect(cutText("short", 5)).toBe("short");
  expect(cutText("short", Infinity)).toBe("short");
});

test("a cut text is a beginning of the text, not too long, and breaks no character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), fc.integer({ min: 1, max: 200 }), (text, max) => {
      const cut = cutText(text, max);
      expect(text.startsWith(cut)).toBe(true);
      expect(cut.length).toBeLessThanOrEqual(max);
      if (text.isWellFormed()) expect(cut.isWellFormed()).toBe(true);
      if (max >= 100 && text.length > max) expect(cut.length).toBeGreaterThanOrEqual(Math.floor(max * 0.8) - 1);
    }),
  );
});
