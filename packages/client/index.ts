export type { Client, Writing } from "./client.ts";
export { ClientError, type Problem } from "./client-error.ts";
export { type ClientOptions, createClient } from "./create-client.ts";
export type {
  BulkLine,
  DeadLetter,
  DeliveryState,
  Fetched,
  FormatVersion,
  Health,
  Intake,
  Queued,
  Readiness,
  SearchTerms,
  Version,
} from "./replies.ts";
