import fc from "fast-check";
import { expect, test } from "vitest";
import { findJson } from "./find-json.ts";

const VALUE = { labels: ["billing {", 'a "quoted" }', "back\\slash"], more: { n: [1, [2]] } };
const JSON_TEXT = JSON.stringify(VALUE);

test.each([
  ["alone", JSON_TEXT],
  ["in a fence", `\`\`\`json\n${JSON_TEXT}\n\`\`\``],
  ["in a fence between sentences", `Here it is:\n\`\`\`json\n${JSON_TEXT}\n\`\`\`\nLet me know.`],
  ["between sentences with braces and quotes", `Sure {really}, it's "this": ${JSON_TEXT} I hope it's {fine`],
])("finds the object %s", (_, text) => {
  expect(findJson(text).values).toEqual([VALUE]);
});

test("finds each of several objects, and none within another", () => {
  expect(findJson('first {"a": {"b": 1}} then {"c": 2}').values).toEqual([{ a: { b: 1 } }, { c: 2 }]);
  expect(findJson("no object { here }").values).toEqual([]);
  expect(findJson('half an object {"a": ').values).toEqual([]);
});

test("finds an object in whatever text without braces stands around it", () => {
  const prose = fc.stringMatching(/^[^{}]{0,60}$/);
  const said = fc.stringMatching(/^[a-z"{}[\]\\ ]{0,20}$/);
  const object = fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), fc.oneof(said, fc.integer(), fc.array(said)));
  fc.assert(
    fc.property(prose, object, prose, (before, value, after) => {
      expect(findJson(`${before} ${JSON.stringify(value)} ${after}`).values).toEqual([value]);
    }),
  );
});

test("gives up on a text of braces alone", () => {
  expect(findJson("{".repeat(200_000))).toEqual({ values: [], exhausted: true });
});
