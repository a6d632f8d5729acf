import fc from "fast-check";
import { expect, test } from "vitest";
import { indented } from "./indented.ts";

test("equals what JSON.stringify writes with two spaces, for any value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(indented(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
      expect(indented(JSON.stringify(value, null, "\t"))).toBe(JSON.stringify(value, null, 2));
    }),
  );
});

test("numbers no double can hold and escapes stay as they are written", () => {
  expect(indented('{"n":12345678901234567890,"e":1e400,"s":"\\u00e4\\"}{,:"}')).toBe(
    '{\n  "n": 12345678901234567890,\n  "e": 1e400,\n  "s": "\\u00e4\\"}{,:"\n}',
  );
});

test("takes a text of many megabytes", () => {
  const text = "QUJD\\n".repeat(4 * 1024 * 1024);
  expect(indented(`{"body":"${text}"}`)).toHaveLength(text.length + '{\n  "body": ""\n}'.length);
});
