import fc from "fast-check";
import { expect, test } from "vitest";
import { gathered, paragraphsOf } from "./paragraphs.ts";

test("wrapped lines are joined, lines ended on purpose are not", () => {
  const mail = `Hi Bob,
I just wanted to follow up to see that your account is all right now and
that everything works as it should.

- one thing that is a long line without a full stop at its very end, yes
- another

Regards,
Ann`;
  expect(paragraphsOf(mail)).toEqual([
    "Hi Bob,",
    "I just wanted to follow up to see that your account is all right now and that everything works as it should.",
    "- one thing that is a long line without a full stop at its very end, yes",
    "- another",
    "Regards,",
    "Ann",
  ]);
});

test("what is no word becomes an ellipsis", () => {
  expect(paragraphsOf(`see ${"x".repeat(65)} here`)).toEqual(["see … here"]);
});

test("speech without punctuation is cut, after a comma where there is one", () => {
  const clauses = Array.from({ length: 30 }, (_, index) => `so they said number ${index} was fine,`).join(" ");
  const pieces = paragraphsOf(clauses);
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces.every((piece) => piece.endsWith(","))).toBe(true);
  expect(paragraphsOf("word ".repeat(150)).map((piece) => piece.split(" ").length)).toEqual([61, 61, 28]);
});

test("every word of a text is kept, in order, in pieces of bounded length", () => {
  const text = fc.array(
    fc.constantFrom("a", "b,", "c.", "\n", "\n\n", "- ", "word", "x".repeat(64), "'quoted.'", "\u00a0", "…"),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(
      text.map((pieces) => pieces.join(" ")),
      (given) => {
        const paragraphs = paragraphsOf(given);
        expect(paragraphs.join(" ").split(" ")).toEqual(given.trim() === "" ? [""] : given.trim().split(/\s+/));
        for (const paragraph of paragraphs) expect(paragraph).toBe(paragraph.trim());
        const pieces = gathered(paragraphs);
        expect(pieces.join("\n\n")).toBe(paragraphs.join("\n\n"));
        for (const piece of pieces) expect(piece.length).toBeLessThan(8_200);
      },
    ),
  );
});
