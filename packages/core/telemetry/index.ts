export { createLogger, type LoggerOptions, type LogLevel } from "./create-logger.ts";
export { type About, createEvents, EVENT_TYPES, type Events, type EventType, type ServerEvent } from "./events.ts";
export { type LogFields, type Logger, silent, withFields } from "./logger.ts";
