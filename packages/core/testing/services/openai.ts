import { type ChatReply, type ChatRequest, checkLength, completionOf, readChat, usualAnswer } from "./openai/chat.ts";
import { type EmbeddingsRequest, embeddingsOf, readEmbeddings } from "./openai/embeddings.ts";
import {
  azureKeyRefused,
  azureNoDeployment,
  badRequest,
  invalidKey,
  invalidUrl,
  missingKey,
  Refused,
  unknownModel,
} from "./openai/errors.ts";
import { type FakeService, type Fault, fakeService, faulty, type ServiceRequest } from "./service.ts";

export type { ChatAnswer, ChatReply, ChatRequest } from "./openai/chat.ts";
export { type EmbeddingsRequest, vectorOf } from "./openai/embeddings.ts";
export {
  azureKeyRefused,
  azureNoDeployment,
  azureRateLimited,
  badRequest,
  contextTooLong,
  filteredPrompt,
  invalidKey,
  liteLlmBudgetUsedUp,
  liteLlmKeyRefused,
  quotaUsedUp,
  rateLimited,
  serverError,
  unknownModel,
} from "./openai/errors.ts";

/** How the fake behaves. Whatever is left out is like the real services with a key that fits. */
export interface OpenAiScript {
  /** What the model says to a request; of the wanted form and always the same unless given. */
  readonly chat?: (request: ChatRequest) => ChatReply | Promise<ChatReply>;
  /** The only key that is accepted; any unless given. */
  readonly key?: string;
  /** The only models there are; any unless given. `GET /models` lists these. */
  readonly models?: readonly string[];
  /** Tokens a prompt may have; four characters are one. */
  readonly contextTokens?: number;
}

/** OpenAI, an Azure OpenAI resource and a LiteLLM proxy in one: each on its own paths. */
export interface FakeOpenAi extends FakeService {
  /** Chat completions that were asked for and well formed, in order. */
  readonly chats: readonly ChatRequest[];
  /** Embeddings that were asked for and well formed, in order. */
  readonly embeddings: readonly EmbeddingsRequest[];
}

const MODELS = ["gpt-4o-mini", "gpt-5", "text-embedding-3-small"];

/**
 * `POST …/chat/completions`, `POST …/embeddings` and `GET …/models` as documented, below `/v1`, at the root (LiteLLM)
 * and below `/openai/deployments/<deployment>` with `api-version` (Azure).
 */
export function fakeOpenAi(script: OpenAiScript = {}): FakeOpenAi {
  const chats: ChatRequest[] = [];
  const embeddings: EmbeddingsRequest[] = [];
  const service = fakeService(async (request) => {
    try {
      const route = routeOf(request);
      checkKey(request, route, script.key);
      if (route.path === "models") return json(modelList(script.models ?? MODELS));
      const body = jsonIn(request.text);
      if (route.path === "embeddings") {
        const asked = readEmbeddings(body, route.deployment);
        checkModel(asked.model, route, script.models);
        embeddings.push(asked);
        return json(embeddingsOf(asked));
      }
      const asked = readChat(body, route.deployment);
      checkModel(asked.model, route, script.models);
      checkLength(asked, script.contextTokens ?? Infinity);
      chats.push(asked);
      const reply = await (script.chat ?? usualAnswer)(asked);
      if (typeof reply === "string") return json(completionOf(asked, { content: reply }, route.azure));
      return "fault" in reply ? await said(reply.fault) : json(completionOf(asked, reply, route.azure));
    } catch (error) {
      if (error instanceof Refused) return said(error.fault);
      throw error;
    }
  });
  return { ...service, chats, embeddings };
}

interface Route {
  readonly path: "chat/completions" | "embeddings" | "models";
  readonly azure: boolean;
  readonly deployment: string | undefined;
}

const PATHS =
  /^(?:(?<azure>\/openai)(?:\/deployments\/(?<deployment>[^/]+))?|\/v1)?\/(?<path>chat\/completions|embeddings|models)$/;

const NOT_FOUND: Fault = {
  status: 404,
  body: JSON.stringify({ error: { code: "404", message: "Resource not found" } }),
};

function routeOf({ method, url }: ServiceRequest): Route {
  const { azure, deployment, path } = PATHS.exec(url.pathname)?.groups ?? {};
  const known = path === "chat/completions" || path === "embeddings" || path === "models";
  if (!known || method !== (path === "models" ? "GET" : "POST")) throw new Refused(invalidUrl(method, url.pathname));
  if (azure === undefined) return { path, azure: false, deployment: undefined };
  const complete = url.searchParams.has("api-version") && (path === "models") === (deployment === undefined);
  if (!complete) throw new Refused(NOT_FOUND);
  return { path, azure: true, deployment: deployment === undefined ? undefined : decodeURIComponent(deployment) };
}

/** Azure takes its key in a header of its own. */
function checkKey({ headers }: ServiceRequest, { azure }: Route, key: string | undefined): void {
  const given = azure ? headers.get("api-key") : /^Bearer (.+)$/.exec(headers.get("authorization") ?? "")?.[1];
  if (given && (key === undefined || given === key)) return;
  if (azure) throw new Refused(azureKeyRefused());
  throw new Refused(given ? invalidKey(`${given.slice(0, 5)}****${given.slice(-4)}`) : missingKey());
}

function checkModel(model: string, { azure }: Route, models: readonly string[] | undefined): void {
  if (models && !models.includes(model)) throw new Refused(azure ? azureNoDeployment() : unknownModel(model));
}

const modelList = (models: readonly string[]) => ({
  object: "list",
  data: models.map((id) => ({ id, object: "model", created: 1_700_000_000, owned_by: "openai" })),
});

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(badRequest("We could not parse the JSON body of your request."));
  }
}

const HEADERS = { "x-request-id": "req_fake" };

const json = (body: unknown): Response => Response.json(body, { headers: HEADERS });

const said = async (fault: Fault): Promise<Response> => {
  const response = await faulty(fault);
  response.headers.set("x-request-id", HEADERS["x-request-id"]);
  return response;
};
