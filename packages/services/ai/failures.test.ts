import { expect, test } from "vitest";
import { withoutSecrets } from "./failures.ts";

test.each([
  ["a key that is known", "key 0123abcd4567 is wrong", "key *** is wrong"],
  ["a key of another account", "got sk-proj-abcDEF_123, sorry", "got ***, sorry"],
  ["the ends of a key", "Received API Key = sk-...m31Q", "Received API Key = ***"],
  ["a masked key without a prefix", "key abcd********wxyz", "key ***"],
  ["a hash of a key", `Key Hash (Token) =${"0f".repeat(32)}.`, "Key Hash (Token) =***."],
])("%s is not shown", (_, text, shown) => {
  expect(withoutSecrets(text, ["0123abcd4567"])).toBe(shown);
});

test("words that look like short keys stay", () => {
  expect(withoutSecrets("no model llama3 on disk-drive *** here", ["no", ""])).toBe(
    "no model llama3 on disk-drive *** here",
  );
});

test("a word of any length takes no longer than another text of its length", () => {
  const word = "x".repeat(1_000_000);
  expect(withoutSecrets(`${word} ab****cd ${word}`, [])).toBe(`${word} *** ${word}`);
});
