import { expect, test } from "vitest";
import { z } from "zod";
import { aiCredentials, checkCredentials, providerOf, secretsOf } from "./credentials.ts";

const schema = z.strictObject(aiCredentials).superRefine(checkCredentials);

const issuesOf = (options: object): string[] => {
  const parsed = schema.safeParse(options);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};

const litellm = { LITELLM_PROXY_URL: "http://litellm:4000", LITELLM_MASTER_KEY: "sk-lite" };
const azure = { AZURE_OPENAI_ENDPOINT: "https://res.openai.azure.com", AZURE_OPENAI_API_KEY: "0123abcd" };

test("the first complete set counts: LiteLLM, Azure, a key of OpenAI or an address", () => {
  expect(providerOf({ ...litellm, ...azure, OPENAI_API_KEY: "sk-x" })).toBe("litellm");
  expect(providerOf({ ...azure, OPENAI_API_KEY: "sk-x" })).toBe("azure");
  for (const name of ["OPENAI_API_KEY", "openai_api_key", "api_key"])
    expect(providerOf({ [name]: "sk-x" })).toBe("openai");
  expect(providerOf({ OPENAI_BASE_URL: "http://localhost:11434/v1" })).toBe("openai");
  expect(providerOf({})).toBeUndefined();
});

test("no credentials are refused with what to set", () => {
  expect(issuesOf({})).toEqual([expect.stringContaining("set OPENAI_API_KEY, or AZURE_OPENAI_ENDPOINT")]);
  expect(issuesOf({ OPENAI_API_KEY: "sk-x" })).toEqual([]);
});

test.each([
  [{ LITELLM_PROXY_URL: litellm.LITELLM_PROXY_URL }, "LITELLM_PROXY_URL: needs LITELLM_MASTER_KEY beside it"],
  [{ AZURE_OPENAI_API_KEY: "k", api_key: "sk-x" }, "AZURE_OPENAI_API_KEY: needs AZURE_OPENAI_ENDPOINT beside it"],
  [{ ...azure, LITELLM_MASTER_KEY: "k" }, "LITELLM_MASTER_KEY: needs LITELLM_PROXY_URL beside it"],
])("half a set %o is refused even beside a complete one", (options, message) => {
  expect(issuesOf(options)).toEqual([expect.stringContaining(message)]);
});

test.each([
  ["a key with a line break in it", { OPENAI_API_KEY: "sk-one\nsk-two" }],
  ["a key that is no Latin text", { OPENAI_API_KEY: "sk-–" }],
  ["an address with a password", { OPENAI_BASE_URL: "http://me:pw@localhost/v1" }],
  ["an address that is none", { OPENAI_BASE_URL: "localhost:11434" }],
])("%s is refused, and not repeated", (_, options) => {
  const issues = issuesOf(options);
  expect(issues).toHaveLength(1);
  expect(issues.join()).not.toMatch(/sk-one|sk-–|pw/);
});

test("every key counts as a secret, also the ones that are not used", () => {
  const keys = {
    OPENAI_API_KEY: "a1",
    openai_api_key: "b2",
    api_key: "c3",
    LITELLM_MASTER_KEY: "d4",
    AZURE_OPENAI_API_KEY: "e5",
  };
  expect(secretsOf(keys).toSorted()).toEqual(["a1", "b2", "c3", "d4", "e5"]);
});
