import { printableLine } from "../errors/index.ts";

const SHOWN_ELSEWHERE = new Set(["log.level", "@timestamp", "message", "service.name", "process.pid", "ecs.version"]);

/** A JSON log line as a person reads it: `12:30:00 info  message  field=value`. */
export function prettyLine(line: string): string {
  const fields = new Map<string, unknown>(Object.entries(JSON.parse(line)));
  const time = String(fields.get("@timestamp")).slice(11, 19);
  const rest = [...fields]
    .filter(([name]) => !SHOWN_ELSEWHERE.has(name))
    .map(([name, value]) => `${name}=${shown(value)}`);
  const head = `${time} ${String(fields.get("log.level")).padEnd(5)} ${printableLine(String(fields.get("message")))}`;
  return `${[head, ...rest.map(printableLine)].join("  ")}\n`;
}

const shown = (value: unknown): string =>
  typeof value === "string" && !/[\s"]/.test(value) ? value : JSON.stringify(value);
