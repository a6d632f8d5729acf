import { type Clock, VconError, withinTime } from "@vcon-server/core";
import type OpenAI from "openai";
import { type AiCredentials, type AiProvider, keyOf, NO_CREDENTIALS, providerOf, secretsOf } from "./credentials.ts";
import { aiFailure } from "./failures.ts";
import { vendorOf } from "./vendor.ts";

/** The package, as a plug-in's `dependencies` load it. */
export type OpenAiModule = typeof import("openai");

/** An OpenAI-compatible service, ready to be asked. */
export interface Ai {
  readonly provider: AiProvider;
  /** Who made a model. */
  vendorOf(model: string): string;
  /** One request within the time of the options. Every failure is a coded error; nothing is tried again here. */
  call<T>(doing: string, within: Within, ask: (client: OpenAI, signal: AbortSignal) => Promise<T>): Promise<T>;
}

export interface Within {
  readonly signal: AbortSignal;
  /** Not needed where the signal limits the time already. */
  readonly clock?: Clock;
}

export interface AiNeeds {
  readonly openai: OpenAiModule;
  readonly fetch: typeof globalThis.fetch;
}

/** Opens no connection yet. Throws `VCON_CONFIG_INVALID` when the credentials are incomplete. */
export function openAi(options: AiCredentials, { openai, fetch }: AiNeeds): Ai {
  const provider = providerOf(options);
  if (provider === undefined) throw new VconError("VCON_CONFIG_INVALID", NO_CREDENTIALS.message);
  const client = clientOf(provider, options, { openai, fetch });
  const secrets = secretsOf(options);
  return {
    provider,
    vendorOf: (model) => vendorOf(provider, model),
    async call(doing, { signal, clock }, ask) {
      const coded = (error: unknown) => aiFailure(error, { doing, now: clock?.now() ?? Date.now(), secrets });
      const asked = (limit: AbortSignal) =>
        ask(client, limit).catch((error: unknown) => {
          throw limit.aborted ? limit.reason : coded(error);
        });
      return clock ? withinTime({ doing, seconds: options.timeout_secs, clock, signal }, asked) : asked(signal);
    },
  };
}

function clientOf(provider: AiProvider, options: AiCredentials, { openai, fetch }: AiNeeds): OpenAI {
  // time and tries are the engine's business; nothing is read from the environment
  const common = { fetch, maxRetries: 0, timeout: 24 * 3_600_000, logLevel: "off" as const };
  const billed = {
    organization: options.organization ?? options.organization_key ?? null,
    project: options.project ?? options.project_key ?? null,
  };
  switch (provider) {
    case "litellm":
      return new openai.OpenAI({
        ...common,
        ...billed,
        baseURL: (options.LITELLM_PROXY_URL ?? "").replace(/\/+$/, ""),
        apiKey: options.LITELLM_MASTER_KEY ?? null,
      });
    case "azure":
      return new openai.AzureOpenAI({
        ...common,
        endpoint: options.AZURE_OPENAI_ENDPOINT ?? "",
        apiKey: options.AZURE_OPENAI_API_KEY ?? "",
        apiVersion: options.AZURE_OPENAI_API_VERSION,
      });
    case "openai":
      return new openai.OpenAI({
        ...common,
        ...billed,
        baseURL: options.OPENAI_BASE_URL ?? "https://api.openai.com/v1",
        apiKey: keyOf(options) ?? "none",
      });
  }
}
