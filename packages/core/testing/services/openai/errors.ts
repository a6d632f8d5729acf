import type { Fault } from "../service.ts";

/** What the services say when they refuse, as they say it. Each is a fault for `fail(…)`. */

/** A request that is answered with a fault. */
export class Refused extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super("refused");
    this.fault = fault;
  }
}

interface Said {
  readonly message: string;
  readonly type?: string | null;
  readonly param?: string | null;
  readonly code?: string | null;
}

type Answer = Exclude<Fault, string>;

const openAiSays = (
  status: number,
  { message, type = "invalid_request_error", param = null, code = null }: Said,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({ status, headers, body: JSON.stringify({ error: { message, type, param, code } }) });

/** Azure has fewer members, and members of its own. */
const azureSays = (status: number, error: Readonly<Record<string, unknown>>, headers = {}): Answer => ({
  status,
  headers,
  body: JSON.stringify({ error }),
});

/** 400 for a request that is not well formed or asks for what the model cannot do. */
export const badRequest = (message: string, param: string | null = null, code: string | null = null): Answer =>
  openAiSays(400, { message, param, code });

/** 401. The services repeat the ends of the key, and careless proxies all of it. */
export const invalidKey = (shown = "sk-no*****key"): Answer =>
  openAiSays(401, {
    message: `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`,
    code: "invalid_api_key",
  });

export const missingKey = (): Answer =>
  openAiSays(401, { message: "You didn't provide an API key. Use an Authorization header: Bearer YOUR_KEY." });

/** 429 that passes by itself. */
export const rateLimited = (retryAfterSecs?: number): Answer =>
  openAiSays(
    429,
    {
      message:
        "Rate limit reached for gpt-4o in organization org-test on tokens per min (TPM): Limit 30000, Used 30000, Requested 120.",
      type: "tokens",
      code: "rate_limit_exceeded",
    },
    retryAfterSecs === undefined ? {} : { "retry-after": String(retryAfterSecs) },
  );

/** 429 that passes when somebody pays. */
export const quotaUsedUp = (): Answer =>
  openAiSays(429, {
    message: "You exceeded your current quota, please check your plan and billing details.",
    type: "insufficient_quota",
    code: "insufficient_quota",
  });

export const contextTooLong = (limit = 16_385, asked = 20_000): Answer =>
  badRequest(
    `This model's maximum context length is ${limit} tokens. However, your messages resulted in ${asked} tokens. Please reduce the length of the messages.`,
    "messages",
    "context_length_exceeded",
  );

export const unknownModel = (model: string): Answer =>
  openAiSays(404, {
    message: `The model \`${model}\` does not exist or you do not have access to it.`,
    code: "model_not_found",
  });

export const serverError = (status: 500 | 502 | 503 = 500): Answer =>
  openAiSays(status, { message: "The server had an error while processing your request.", type: "server_error" });

/** 400 of Azure: its filter stops the prompt. */
export const filteredPrompt = (): Answer =>
  azureSays(400, {
    message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    type: null,
    param: "prompt",
    code: "content_filter",
    status: 400,
    innererror: {
      code: "ResponsibleAIPolicyViolation",
      content_filter_result: {
        hate: { filtered: false, severity: "safe" },
        violence: { filtered: true, severity: "medium" },
      },
    },
  });

export const azureKeyRefused = (): Answer =>
  azureSays(401, {
    code: "401",
    message:
      "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription.",
  });

export const azureRateLimited = (retryAfterSecs = 10): Answer =>
  azureSays(
    429,
    {
      code: "429",
      message: `Requests have exceeded the call rate limit. Please retry after ${retryAfterSecs} seconds.`,
    },
    { "retry-after": String(retryAfterSecs) },
  );

export const azureNoDeployment = (): Answer =>
  azureSays(404, { code: "DeploymentNotFound", message: "The API deployment for this resource does not exist." });

/** LiteLLM tells the key's end and its hash. */
export const liteLlmKeyRefused = (shown = "sk-...nkey", hash = "0".repeat(64)): Answer =>
  openAiSays(401, {
    message: `Authentication Error, Invalid proxy server token passed. Received API Key = ${shown}, Key Hash (Token) =${hash}.`,
    type: "token_not_found_in_db",
    param: "key",
    code: "401",
  });

/** LiteLLM's budget: 429, in older releases 400; only `type` says what it is. */
export const liteLlmBudgetUsedUp = (status: 400 | 429 = 429): Answer =>
  openAiSays(status, {
    message: "Budget has been exceeded! Current cost: 10.51, Max budget: 10.00",
    type: "budget_exceeded",
    code: String(status),
  });

export const invalidUrl = (method: string, path: string): Answer =>
  openAiSays(404, { message: `Invalid URL (${method} ${path})` });
