import { secret, serviceUrl } from "@vcon-server/core";
import { z } from "zod";

const sameAs = (name: string): string => `Same as \`${name}\`.`;

/** Keys travel in a header: what does not fit there would be repeated by the error about it. */
const key = () => secret().regex(/^[\x21-\x7e]+$/, "must be one word: is there a blank or a line break in it?");

/** Options by which links and storages reach an OpenAI-compatible service; the first complete set counts, in this order. */
export const aiCredentials = {
  LITELLM_PROXY_URL: serviceUrl().optional().describe("Address of a LiteLLM proxy, together with its key."),
  LITELLM_MASTER_KEY: key().optional().describe("Key of the LiteLLM proxy."),
  AZURE_OPENAI_ENDPOINT: serviceUrl()
    .optional()
    .describe("Endpoint of an Azure OpenAI resource; the model is the name of the deployment."),
  AZURE_OPENAI_API_KEY: key().optional().describe("Key of the Azure OpenAI resource."),
  AZURE_OPENAI_API_VERSION: z.string().min(1).default("2024-10-21").describe("Version of Azure's API."),
  OPENAI_BASE_URL: serviceUrl()
    .optional()
    .describe(
      "Address of any other OpenAI-compatible service, such as `http://localhost:11434/v1`; OpenAI's own unless given.",
    ),
  OPENAI_API_KEY: key().optional().describe("Key of the service; not needed where `OPENAI_BASE_URL` asks for none."),
  openai_api_key: key().optional().describe(sameAs("OPENAI_API_KEY")),
  api_key: key().optional().describe(sameAs("OPENAI_API_KEY")),
  organization: z.string().min(1).optional().describe("OpenAI organization that is billed."),
  organization_key: z.string().min(1).optional().describe(sameAs("organization")),
  project: z.string().min(1).optional().describe("OpenAI project that is billed."),
  project_key: z.string().min(1).optional().describe(sameAs("project")),
  timeout_secs: z.number().positive().default(120).describe("Seconds one request may take."),
} as const;

export type AiCredentials = z.output<z.ZodObject<typeof aiCredentials>>;

/** Which service the credentials lead to; `undefined` when no set is complete. */
export type AiProvider = "litellm" | "azure" | "openai";

export const keyOf = ({ OPENAI_API_KEY, openai_api_key, api_key }: Partial<AiCredentials>): string | undefined =>
  OPENAI_API_KEY ?? openai_api_key ?? api_key;

export function providerOf(options: Partial<AiCredentials>): AiProvider | undefined {
  if (options.LITELLM_PROXY_URL && options.LITELLM_MASTER_KEY) return "litellm";
  if (options.AZURE_OPENAI_ENDPOINT && options.AZURE_OPENAI_API_KEY) return "azure";
  return keyOf(options) !== undefined || options.OPENAI_BASE_URL !== undefined ? "openai" : undefined;
}

/** What the linter says where no set of credentials is complete. */
export const NO_CREDENTIALS =
  "has no complete credentials: set OPENAI_API_KEY, or AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY, or LITELLM_PROXY_URL and LITELLM_MASTER_KEY";

/** Each of these is nothing without the other. */
const PAIRS = [
  ["LITELLM_PROXY_URL", "LITELLM_MASTER_KEY"],
  ["AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY"],
] as const;

/**
 * For `.superRefine` of an options schema. A half set is refused even where another one is complete: conversations must
 * not go to a service that nobody meant.
 */
export function checkCredentials(options: Partial<AiCredentials>, context: z.core.$RefinementCtx): void {
  for (const [one, other] of [...PAIRS, ...PAIRS.map(([first, second]) => [second, first] as const)]) {
    if (options[one] === undefined || options[other] !== undefined) continue;
    context.addIssue({ code: "custom", path: [one], message: `needs ${other} beside it; give both or neither` });
    return;
  }
  if (providerOf(options) === undefined) context.addIssue({ code: "custom", message: NO_CREDENTIALS });
}

/** Every secret among the options, so that none is repeated in a message. */
export const secretsOf = (options: Partial<AiCredentials>): readonly string[] =>
  [
    options.LITELLM_MASTER_KEY,
    options.AZURE_OPENAI_API_KEY,
    options.OPENAI_API_KEY,
    options.openai_api_key,
    options.api_key,
  ].filter((secret) => secret !== undefined);
