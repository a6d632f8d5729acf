import fc from "fast-check";
import { expect, test } from "vitest";
import { findError } from "./error-body.ts";

const bytes = (body: unknown) => new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
const completion = { choices: [{ index: 0, message: { role: "assistant", content: 'they said "error"' } }] };

test.each([
  ["a code as a number", { error: { message: "Rate limit exceeded", code: 429 } }, 429, "Rate limit exceeded"],
  ["a code as text", { error: { message: "no", code: "502" } }, 502, "no"],
  [
    "vLLM",
    { object: "error", message: "no model x", type: "NotFoundError", code: 404, param: null },
    404,
    "no model x",
  ],
  ["a word for the rate", { error: { message: "slow down", code: "rate_limit_exceeded" } }, 429, "slow down"],
  ["a word for the key", { error: { message: "no", type: "authentication_error" } }, 401, "no"],
  ["a word for the account", { error: { message: "no", code: "insufficient_quota" } }, 402, "no"],
  ["words alone", { error: "The engine is overloaded" }, 503, "The engine is overloaded"],
  ["nothing that is known", { error: { message: "oops" } }, 500, "oops"],
  [
    "an error of one choice",
    { choices: [{ error: { code: 502, message: "upstream" }, finish_reason: "error", message: { content: "" } }] },
    502,
    "upstream",
  ],
])("an error under status 200 has the status it should have come with: %s", (_, body, status, message) => {
  expect(findError(200, bytes(body))).toMatchObject({ status, error: { message } });
});

test.each([
  ["a completion", completion],
  ["a completion with an empty error", { ...completion, error: null }],
  ["a completion with an error of no words", { ...completion, error: {} }],
  ["text of speech", "an error, he said"],
  ["no JSON", '{"error"'],
])("a success stays one: %s", (_, body) => {
  expect(findError(200, bytes(body))).toBeUndefined();
});

test.each([
  ["FastAPI", { detail: "Model is loading" }, "Model is loading"],
  [
    "xAI",
    { code: "permission-denied", error: "Content violates usage guidelines" },
    "Content violates usage guidelines",
  ],
  ["a message at the top", { message: "no such route" }, "no such route"],
])("the words of a failure are found: %s", (_, body, message) => {
  expect(findError(403, bytes(body))).toMatchObject({ status: 403, error: { message } });
});

test("whatever comes, the status of a failure stays", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), fc.integer({ min: 300, max: 599 }), (body, status) => {
      expect(findError(status, bytes(body))?.status ?? status).toBe(status);
    }),
  );
});
