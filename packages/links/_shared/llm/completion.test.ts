import { VconError } from "@vcon-server/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readCompletion } from "./completion.ts";

const answer = (message: object, finish_reason = "stop", more: object = {}) => ({
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, message, finish_reason }],
  ...more,
});

const codeOf = (given: unknown): unknown => {
  try {
    readCompletion(given, "asking");
  } catch (error) {
    if (error instanceof VconError) return { code: error.code, retryable: error.retryable, ...error.details };
    throw error;
  }
  return undefined;
};

test("reads text, model and what was used", () => {
  const usage = { prompt_tokens: 9, completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 3 } };
  expect(readCompletion(answer({ content: " hello\n" }, "stop", { usage }), "asking")).toEqual({
    text: "hello",
    model: "gpt-4o-2024-08-06",
    usage: { input_tokens: 9, output_tokens: 4, reasoning_tokens: 3 },
  });
});

test("what only some services say may be missing or odd", () => {
  const odd = { model: 7, usage: { prompt_tokens: "many" } };
  expect(readCompletion({ ...answer({ content: "hello" }), ...odd }, "asking")).toEqual({
    text: "hello",
    model: undefined,
    usage: undefined,
  });
});

test("thoughts said aloud are left out, and so is what databases cannot hold", () => {
  const content = "<think>\nhm <b>\n</think>\n\nhel\0lo \ud800";
  expect(readCompletion(answer({ content }), "asking").text).toBe("hello \ufffd");
});

test("an answer in parts is joined, without the parts that are thoughts", () => {
  const content = [
    { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
    { type: "text", text: "hello " },
    { type: "output_text", text: "Bob" },
  ];
  expect(readCompletion(answer({ content }), "asking").text).toBe("hello Bob");
});

test.each([
  [
    "a refusal",
    answer({ content: null, refusal: "No." }),
    { code: "VCON_SERVICE_REFUSED", retryable: false, reason: "refusal" },
  ],
  [
    "a filter",
    answer({ content: "" }, "content_filter"),
    { code: "VCON_SERVICE_REFUSED", retryable: false, reason: "content_filter" },
  ],
  [
    "a refusal in parts",
    answer({ content: [{ type: "refusal", refusal: "No." }] }),
    { code: "VCON_SERVICE_REFUSED", retryable: false, reason: "refusal" },
  ],
  [
    "a filter by another name",
    answer({ content: "" }, "SAFETY"),
    { code: "VCON_SERVICE_REFUSED", retryable: false, reason: "content_filter" },
  ],
  [
    "a cut by another name",
    answer({ content: "a" }, "model_length"),
    { code: "VCON_SERVICE_ANSWER", retryable: false, reason: "length" },
  ],
  ["a cut", answer({ content: '{"a' }, "length"), { code: "VCON_SERVICE_ANSWER", retryable: false, reason: "length" }],
  ["too much", answer({ content: "x".repeat(1_000_001) }), { code: "VCON_SERVICE_ANSWER", retryable: false }],
  ["nothing", answer({ content: " " }), { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["only thoughts", answer({ content: "<think>hm</think>" }), { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["no choices", { choices: [] }, { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["a page", "<html>", { code: "VCON_SERVICE_ANSWER", retryable: true }],
  ["no answer", undefined, { code: "VCON_SERVICE_ANSWER", retryable: true }],
])("%s is an error", (_, given, expected) => {
  expect(codeOf(given)).toEqual(expected);
});

test("whatever a service answers, there is a text or a coded error", () => {
  fc.assert(fc.property(fc.jsonValue(), (given) => void codeOf(given)));
});
