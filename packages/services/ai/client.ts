import { type Clock, readBytes, VconError, withinTime } from "@vcon-server/core";
import type OpenAI from "openai";
import { type AiCredentials, type AiProvider, keyOf, NO_CREDENTIALS, providerOf, secretsOf } from "./credentials.ts";
import { findError } from "./error-body.ts";
import { aiFailure } from "./failures.ts";
import { vendorOf } from "./vendor.ts";

/** The package, as a plug-in's `dependencies` load it. */
export type OpenAiModule = typeof import("openai");

/** An OpenAI-compatible service, ready to be asked. */
export interface Ai {
  readonly provider: AiProvider;
  /** Who made a model. */
  vendorOf(model: string): string;
  /**
   * One request within the time of the options. Every failure is a coded error; nothing is tried again here. Refusals
   * that are about the request have `details.reason`: `too_long`, `content_filter`, `no_model` or `parameter`.
   */
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
  if (provider === undefined) throw new VconError("VCON_CONFIG_INVALID", NO_CREDENTIALS);
  const client = clientOf(provider, options, { openai, fetch: wholeAnswers(fetch) });
  const secrets = secretsOf(options);
  return {
    provider,
    vendorOf: (model) => vendorOf(provider, model, options.OPENAI_BASE_URL),
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

/** Bytes: more than any batch of embeddings takes. */
const LONGEST_ANSWER = 64 * 2 ** 20;

/**
 * Reads answers to their end, but no endless ones, and follows no redirect: the key goes where it was meant to go. Errors
 * reach the client in the one form it reads, also those that come with status 200.
 */
const wholeAnswers =
  (fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
  async (input, init) => {
    const response = await fetch(input, { ...init, redirect: "manual" });
    const { headers } = response;
    const bytes = await readBytes(response, LONGEST_ANSWER, "reading the answer of the AI service");
    const failed = findError(response.status, bytes);
    if (failed)
      return Response.json({ error: failed.error }, { status: failed.status, headers: retryHeaders(headers) });
    return new Response(bytes.length === 0 ? null : new Uint8Array(bytes), { status: response.status, headers });
  };

/** Length and encoding are those of the body as it came. */
function retryHeaders(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ["content-length", "content-encoding", "content-type"]) kept.delete(name);
  return kept;
}

function clientOf(provider: AiProvider, options: AiCredentials, { openai, fetch }: AiNeeds): OpenAI {
  // time and tries are the engine's business; what is given here is not read from the environment
  const common = {
    fetch,
    maxRetries: 0,
    timeout: 24 * 3_600_000,
    logLevel: "off" as const,
    adminAPIKey: null,
    webhookSecret: null,
  };
  const billed = {
    organization: options.organization ?? options.organization_key ?? null,
    project: options.project ?? options.project_key ?? null,
  };
  switch (provider) {
    case "litellm":
      return new openai.OpenAI({
        ...common,
        ...billed,
        baseURL: trimmed(options.LITELLM_PROXY_URL ?? ""),
        apiKey: options.LITELLM_MASTER_KEY ?? null,
      });
    case "azure":
      return new openai.AzureOpenAI({
        ...common,
        organization: null,
        project: null,
        baseURL: `${trimmed(options.AZURE_OPENAI_ENDPOINT ?? "").replace(/\/openai$/, "")}/openai`,
        apiKey: options.AZURE_OPENAI_API_KEY ?? "",
        apiVersion: options.AZURE_OPENAI_API_VERSION,
      });
    case "openai":
      return new openai.OpenAI({
        ...common,
        ...billed,
        baseURL: trimmed(options.OPENAI_BASE_URL ?? "https://api.openai.com/v1"),
        apiKey: keyOf(options) ?? "none",
      });
  }
}

const trimmed = (address: string): string => address.replace(/\/+$/, "");
