import { expect, test } from "vitest";
import { habitsOf } from "./models.ts";

test.each([
  ["gpt-3.5-turbo-16k", false, undefined, false],
  ["gpt-4o", false, undefined, false],
  ["gpt-5", true, "minimal", true],
  ["gpt-5-mini-2025-08-07", true, "minimal", true],
  ["gpt-5-chat-latest", false, undefined, false],
  ["gpt-5-codex", true, "low", false],
  ["gpt-5-pro", true, undefined, true],
  ["gpt-5.1", true, "none", true],
  ["gpt-5.4-mini", true, "none", true],
  ["gpt-5.1-codex-max", true, "low", false],
  ["openai/gpt-5", true, "minimal", true],
  ["o1-mini", true, undefined, false],
  ["o3", true, "low", false],
  ["anthropic/claude-sonnet-4", false, undefined, false],
  ["our-deployment", false, undefined, false],
])("%s", (model, reasons, leastEffort, verbosity) => {
  expect(habitsOf(model)).toEqual({ reasons, verbosity, ...(leastEffort !== undefined && { leastEffort }) });
});
