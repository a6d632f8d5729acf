export { type Ai, type AiNeeds, type OpenAiModule, openAi, type Within } from "./client.ts";
export {
  type AiCredentials,
  type AiProvider,
  aiCredentials,
  checkCredentials,
  NO_CREDENTIALS,
  providerOf,
} from "./credentials.ts";
