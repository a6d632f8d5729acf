import type { AiProvider } from "./credentials.ts";

/** Makers of models by the prefix LiteLLM routes by. */
const BY_ROUTE: Readonly<Record<string, string>> = {
  openai: "openai",
  azure: "azure",
  anthropic: "anthropic",
  google: "google",
  gemini: "google",
  vertex_ai: "google",
  mistral: "mistral",
  meta: "meta",
  cohere: "cohere",
  groq: "groq",
  bedrock: "bedrock",
};

const BY_NAME: readonly (readonly [prefix: RegExp, vendor: string])[] = [
  [/^claude/, "anthropic"],
  [/^(gpt-|o\d|chatgpt|text-embedding|whisper)/, "openai"],
  [/^gemini/, "google"],
  [/^(mistral|mixtral)/, "mistral"],
  [/^(llama|meta-llama)/, "meta"],
  [/^command/, "cohere"],
];

/** Who made the model, as an analysis names its vendor. */
export function vendorOf(provider: AiProvider, model: string): string {
  if (provider !== "litellm") return provider;
  const route = /^([^/]+)\//.exec(model)?.[1];
  const routed = route === undefined ? undefined : BY_ROUTE[route];
  return routed ?? BY_NAME.find(([prefix]) => prefix.test(model))?.[1] ?? "litellm";
}
