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

/** Who made the model, as an analysis names its vendor. `address`: where an OpenAI-compatible service is, if not at OpenAI. */
export function vendorOf(provider: AiProvider, model: string, address?: string): string {
  if (provider === "azure") return "azure";
  if (provider === "litellm") return makerOf(model) ?? "litellm";
  const host = address === undefined ? "api.openai.com" : new URL(address).hostname;
  if (/(^|\.)openai\.com$/.test(host)) return "openai";
  if (/\.azure\.com$/.test(host)) return "azure";
  return makerOf(model) ?? "openai-compatible";
}

function makerOf(model: string): string | undefined {
  const route = /^([^/]+)\//.exec(model)?.[1];
  const routed = route !== undefined && Object.hasOwn(BY_ROUTE, route) ? BY_ROUTE[route] : undefined;
  return routed ?? BY_NAME.find(([prefix]) => prefix.test(model))?.[1];
}
