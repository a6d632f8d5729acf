export { asVconError, CATALOGUE, causesOf, type ErrorCode, printable, VconError } from "./errors/index.ts";
export {
  type Clock,
  defineLink,
  type Effects,
  forward,
  halt,
  type Link,
  type LinkContext,
  type Outcome,
  type RunFacts,
} from "./plugin/link.ts";
export type { Loaded, Loaders, OptionsSchema, PluginContext, PluginSpec, Stability } from "./plugin/plugin.ts";
export { listName, namedOtherwise, receiverUrl, secret, serviceUrl } from "./plugin/plugin.ts";
export { type Call, defineStorage, type Storage, type StorageHandle, type StoredVcon } from "./plugin/storage.ts";
export { defineTracer, type Step, type Tracer, type TracerHandle } from "./plugin/tracer.ts";
export {
  connectionFailure,
  type Limit,
  readBytes,
  readJson,
  readStart,
  type ServiceAnswer,
  secondsOf,
  serviceFailure,
  withinTime,
} from "./services/index.ts";
export { type LogFields, type Logger, silent, withFields } from "./telemetry/logger.ts";
