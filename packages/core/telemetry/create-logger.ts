import { destination, pino, stdTimeFunctions } from "pino";
import { printable } from "../errors/index.ts";
import { errorFields } from "./error-fields.ts";
import type { LogFields, Logger } from "./logger.ts";
import { prettyLine } from "./pretty.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `service.name` of every line. */
  readonly name: string;
  /** One readable line for a person instead of JSON. */
  readonly pretty?: boolean;
  /** Where lines go, each with its newline; standard error unless given. */
  readonly write?: (line: string) => void;
}

/** Names that lines have of their own; a field of the same name is written with an underscore behind. */
const OWN = new Set(["log.level", "@timestamp", "message", "service.name", "process.pid", "ecs.version"]);

/** Longer texts are cut: a log line never carries a document. */
const LONGEST_TEXT = 4096;

const cut = (text: string): string =>
  text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}… (${text.length} characters)` : text;

function toFields(fields: LogFields, stacks: boolean): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) Object.assign(out, errorFields(value, stacks));
    else out[OWN.has(name) ? `${name}_` : name] = typeof value === "string" ? cut(value) : value;
  }
  return out;
}

/** A log of JSON lines with the field names of the Elastic Common Schema. Errors are written without their stacks unless the level is `debug`. */
export function createLogger({ level, name, pretty = false, write }: LoggerOptions): Logger {
  const out = write ?? standardError();
  const log = pino(
    {
      level,
      base: { "service.name": name, "process.pid": process.pid, "ecs.version": "8.11" },
      messageKey: "message",
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"@timestamp"'),
      formatters: { level: (label) => ({ "log.level": label }) },
      depthLimit: 6,
      edgeLimit: 100,
    },
    // JSON leaves DEL, the C1 controls and two line separators as they are
    { write: (line: string) => out(pretty ? prettyLine(line) : printable(line)) },
  );
  const at = (severity: LogLevel) => (message: string, fields?: LogFields) => {
    if (!log.isLevelEnabled(severity)) return;
    // the message is data, not a format string: nothing may follow it
    log[severity](fields ? toFields(fields, level === "debug") : {}, cut(message));
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Synchronous: the last line before a crash is the one that matters. */
function standardError(): (line: string) => void {
  const stream = destination({ dest: 2, sync: true });
  return (line) => void stream.write(line);
}
