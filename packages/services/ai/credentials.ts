import { secret, serviceUrl } from "@vcon-server/core";
import { z } from "zod";

const sameAs = (name: string): string => `Same as \`${name}\`.`;

/** Options by which links and storages reach an OpenAI-compatible service; the first complete set counts, in this order. */
export const aiCredentials = {
  LITELLM_PROXY_URL: serviceUrl().optional().describe("Address of a LiteLLM proxy, together with its key."),
  LITELLM_MASTER_KEY: secret().optional().describe("Key of the LiteLLM proxy."),
  AZURE_OPENAI_ENDPOINT: serviceUrl()
    .optional()
    .describe("Endpoint of an Azure OpenAI resource; the model is the name of the deployment."),
  AZURE_OPENAI_API_KEY: secret().optional().describe("Key of the Azure OpenAI resource."),
  AZURE_OPENAI_API_VERSION: z.string().min(1).default("2024-10-21").describe("Version of Azure's API."),
  OPENAI_BASE_URL: serviceUrl()
    .optional()
    .describe(
      "Address of any other OpenAI-compatible service, such as `http://localhost:11434/v1`; OpenAI's own unless given.",
    ),
  OPENAI_API_KEY: secret().optional().describe("Key of the service; not needed where `OPENAI_BASE_URL` asks for none."),
  openai_api_key: secret().optional().describe(sameAs("OPENAI_API_KEY")),
  api_key: secret().optional().describe(sameAs("OPENAI_API_KEY")),
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

/** What the linter says where no set of credentials is complete; for `.refine` of an options schema. */
export const NO_CREDENTIALS = {
  message:
    "has no complete credentials: set OPENAI_API_KEY, or AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY, or LITELLM_PROXY_URL and LITELLM_MASTER_KEY",
} as const;

/** Every secret among the options, so that none is repeated in a message. */
export const secretsOf = (options: Partial<AiCredentials>): readonly string[] =>
  [options.LITELLM_MASTER_KEY, options.AZURE_OPENAI_API_KEY, keyOf(options)].filter((key) => key !== undefined);
