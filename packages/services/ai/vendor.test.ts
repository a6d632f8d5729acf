import { expect, test } from "vitest";
import { vendorOf } from "./vendor.ts";

test.each([
  ["openai/gpt-4o", "openai"],
  ["vertex_ai/gemini-2.5-pro", "google"],
  ["bedrock/anthropic.claude-sonnet-4", "bedrock"],
  ["claude-sonnet-4", "anthropic"],
  ["o3-mini", "openai"],
  ["gemini-2.5-flash", "google"],
  ["mixtral-8x7b", "mistral"],
  ["meta-llama-3-70b", "meta"],
  ["command-r", "cohere"],
  ["our-own", "litellm"],
  ["toString/x", "litellm"],
])("behind LiteLLM %s is of %s", (model, vendor) => {
  expect(vendorOf("litellm", model)).toBe(vendor);
});

test.each([
  [undefined, "anything", "openai"],
  ["https://eu.api.openai.com/v1", "anything", "openai"],
  ["https://res.openai.azure.com/openai/v1", "gpt-4o", "azure"],
  ["http://localhost:11434/v1", "llama3.2", "meta"],
  ["http://localhost:11434/v1", "phi4", "openai-compatible"],
  ["https://openai.com.example/v1", "phi4", "openai-compatible"],
])("at %s %s is of %s", (address, model, vendor) => {
  expect(vendorOf("openai", model, address)).toBe(vendor);
});

test("Azure says nothing about the model but that it is Azure's", () => {
  expect(vendorOf("azure", "claude")).toBe("azure");
});
