import { checkNetwork } from "../network/addresses.ts";
import { LIST_NAME, reservedList } from "./list-names.ts";

/** An environment variable: the single place of its meaning, its default and whether it is secret. */
export interface Variable<T = unknown> {
  /** One sentence, for the reference. */
  readonly meaning: string;
  /** The text that stands when the variable is unset or empty. */
  readonly fallback: string | undefined;
  /** `whole`: never shown. `password`: a URL whose password is not shown. */
  readonly secret: "whole" | "password" | undefined;
  /** Throws an error that says what the value must be. */
  parse(text: string): T;
}

type Secret = Variable["secret"];

const optional = <T>(meaning: string, parse: (text: string) => T, secret?: Secret) => ({
  meaning,
  fallback: undefined,
  secret,
  parse,
});

const defaulted = <T>(meaning: string, parse: (text: string) => T, fallback: string) => ({
  meaning,
  fallback,
  secret: undefined,
  parse,
});

const text = (value: string): string => value;

const whole = (min: number, max: number) => (value: string) => {
  if (/^\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
  throw new Error(`set it to a whole number from ${min} to ${max}`);
};

/** Seconds in the environment, milliseconds inside. */
const seconds = (min: number) => (value: string) => {
  const number = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && number >= min && number <= MAX_SECONDS) return Math.round(number * 1000);
  throw new Error(`set it to a number of seconds from ${min} to ${MAX_SECONDS}`);
};

const MAX_SECONDS = 10 * 365 * 86_400;

function flag(value: string): boolean {
  if (/^(true|1|yes|on)$/i.test(value)) return true;
  if (/^(false|0|no|off)$/i.test(value)) return false;
  throw new Error("set it to true or false");
}

function choice<const T extends string>(...values: readonly T[]) {
  return (value: string): T => {
    const found = values.find((known) => known === value.toLowerCase());
    if (found !== undefined) return found;
    throw new Error(`set it to ${values.join(", ").replace(/, ([^,]*)$/, " or $1")}`);
  };
}

function level(value: string): "debug" | "info" | "warn" | "error" {
  const names = choice("debug", "info", "warn", "error", "warning", "critical");
  const name = names(value);
  if (name === "warning") return "warn";
  return name === "critical" ? "error" : name;
}

function redisUrl(value: string): string {
  if (/^rediss?(\+(sentinel|cluster))?:\/\/[^\s/]+/.test(value)) return value;
  throw new Error(
    "set it to redis://host:port (rediss:// for TLS; redis+sentinel://h1,h2/name, redis+cluster://h1,h2), or unset it for the embedded backend",
  );
}

function headerName(value: string): string {
  if (/^[\w!#$%&'*+.^`|~-]{1,128}$/.test(value)) return value.toLowerCase();
  throw new Error("set it to the name of an HTTP header");
}

function rootPath(value: string): string {
  if (/^\/[\w./~-]*$/.test(value)) return value.replace(/\/+$/, "");
  throw new Error("set it to a path that begins with a slash, such as /api, or to / for none");
}

function origins(value: string): readonly string[] {
  const list = value
    .split(",")
    .map((origin) => origin.trim())
    .filter(Boolean);
  if (list.every((origin) => origin === "*" || /^https?:\/\/[^\s/]+$/.test(origin))) return list;
  throw new Error("set it to origins such as https://portal.example.com, separated by commas, without paths");
}

function networks(value: string): readonly string[] {
  const list = value
    .split(",")
    .map((network) => network.trim())
    .filter(Boolean);
  for (const network of list) checkNetwork(network);
  return list;
}

function listNames(value: string): readonly string[] {
  const names = value
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  if (names.every((name) => LIST_NAME.test(name) && !reservedList(name, ""))) return names;
  throw new Error("set it to names of lists, separated by commas, without a reserved prefix");
}

function sortedSet(value: string): string {
  if (LIST_NAME.test(value) && !reservedList(value, "")) return value;
  throw new Error("set it to letters, digits, `_`, `-`, `.` and `:`, without a reserved prefix");
}

function host(value: string): string {
  if (/^[^\s/]{1,253}$/.test(value)) return value;
  throw new Error("set it to an address to listen on, such as 127.0.0.1 or 0.0.0.0");
}

const startMethod = choice("process", "fork", "spawn", "forkserver");

/** Every variable the server reads. */
export const VARIABLES = {
  REDIS_URL: optional(
    "Redis or Valkey to use; without it the embedded backend keeps everything in the data folder.",
    redisUrl,
    "password",
  ),
  CONSERVER_DATA_DIR: defaulted("Folder of the embedded backend and of files the server keeps.", text, "./data"),
  CONSERVER_CONFIG_FILE: defaulted("The YAML configuration.", text, "config/quickstart.yml"),
  HOST: defaulted("Address to listen on; anything but loopback needs a token.", host, "127.0.0.1"),
  PORT: defaulted("Port to listen on; 0 takes a free one.", whole(0, 65_535), "8000"),
  API_ROOT_PATH: defaulted("Path in front of every route; the bare routes answer too.", rootPath, "/api"),
  CONSERVER_API_TOKEN: optional("Token of the API.", text, "whole"),
  CONSERVER_API_TOKEN_FILE: optional(
    "File with more tokens, one a line; lines that begin with `#` are comments. It must hold at least one.",
    text,
  ),
  CONSERVER_HEADER_NAME: defaulted("Header that carries the token.", headerName, "x-conserver-api-token"),
  CONSERVER_WORKERS: defaulted("Worker processes.", whole(1, 1024), "1"),
  CONSERVER_VCON_CONCURRENCY: defaulted("vCons in flight per worker.", whole(1, 100_000), "256"),
  CONSERVER_PARALLEL_STORAGE: defaulted("Whether the storages of a chain are written at the same time.", flag, "true"),
  CONSERVER_START_METHOD: defaulted(
    "How workers start; the values of the Python server all mean process.",
    startMethod,
    "process",
  ),
  CONSERVER_GRACE_SECS: defaulted("Seconds that running work gets to finish at shutdown.", seconds(0), "30"),
  CONSERVER_MAX_BODY_BYTES: defaulted(
    "Largest request body, after decompression.",
    whole(1024, 4 * 1024 ** 3),
    String(64 * 1024 ** 2),
  ),
  CONSERVER_REQUEST_TIMEOUT_SECS: defaulted("Seconds within which a request must have arrived.", seconds(1), "60"),
  CONSERVER_CORS_ORIGINS: optional(
    "Origins of pages that may call the API from a browser, separated by commas, `*` for all; none unless set. Without a token `*` has no effect, and the host names of these origins are the only ones besides the loopback's that requests may be for.",
    origins,
  ),
  CONSERVER_SECRETS_DIR: optional(
    "Folder whose files a configuration sent to `POST /config` may refer to by `file:`, such as /run/secrets; none unless set. The configuration file itself may refer to any.",
    text,
  ),
  CONSERVER_ALLOWED_NETWORKS: optional(
    "Private networks and addresses that webhooks and media URLs may lead to, such as 10.0.0.0/8, separated by commas; none unless set.",
    networks,
  ),
  CONSERVER_SQLITE_SYNCHRONOUS: defaulted(
    "Embedded backend: full survives power failure, normal only a crash of the process.",
    choice("full", "normal"),
    "full",
  ),
  REDIS_ACK: defaulted(
    "Acknowledge intake when the master has it, or after a replica has it too.",
    choice("master", "replica"),
    "master",
  ),
  VCON_SUBMITTER_EXPIRY: defaulted(
    "Seconds the server remembers who submitted a vCon, so that no partner (`ingress_auth`) writes over a stranger's; counted from the submission, and about 200 bytes each. Kept only where there are partners.",
    seconds(60),
    "7776000",
  ),
  VCON_ALLOWED_LISTS: optional(
    "Lists besides those of the configuration that GET /vcon/egress takes from whatever they hold, separated by commas; others give only uuids.",
    listNames,
  ),
  VCON_ALLOW_EVICTION: defaulted(
    "Start although Redis evicts keys when its memory is used up (a maxmemory-policy other than noeviction), which loses accepted vCons.",
    flag,
    "false",
  ),
  VCON_REDIS_EXPIRY: defaulted(
    "Seconds a working copy is kept after every required storage has the vCon.",
    seconds(1),
    "3600",
  ),
  VCON_INDEX_EXPIRY: optional("Seconds after which party indices expire; never unless set.", seconds(1)),
  VCON_STORAGE_FALLBACK_ENABLED: defaulted(
    "Whether reads go on to the storages when the backend has no copy.",
    flag,
    "true",
  ),
  VCON_SORTED_SET_NAME: defaulted("Redis key of the set of all vCons by creation time.", sortedSet, "vcons"),
  EGRESS_FORMAT_VERSION: optional(
    "vCon version written at every exit; 0.4.0 unless set.",
    choice("0.0.1", "0.3.0", "0.4.0"),
  ),
  LOG_LEVEL: defaulted("Lowest level that is logged: debug, info, warn or error.", level, "info"),
  VCON_SERVER_VERSION: optional(
    "Version shown at /version, in the documentation and in a header of every answer; that of the package unless set.",
    text,
  ),
  VCON_SERVER_GIT_COMMIT: defaulted("Commit shown at /version.", text, "unknown"),
  VCON_SERVER_BUILD_TIME: defaulted("Build time shown at /version.", text, "unknown"),
} as const satisfies Readonly<Record<string, Variable>>;

export type VariableName = keyof typeof VARIABLES;

/** Variables of the Python server that have no effect here, and what to use instead. */
export const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  LOGGING_CONFIG_FILE: "use LOG_LEVEL; logs are JSON lines on standard error",
  VCON_STORAGE: "name storages in the configuration file",
  VCON_SORTED_FORCE_RESET: "GET /index_vcons rebuilds the indices",
  VCON_DLQ_EXPIRY: "remove it; a dead letter and its vCon are kept until somebody deals with them",
  VCON_CONTEXT_EXPIRY: "remove it; trace contexts are not kept",
  TICK_INTERVAL: "remove it; workers wait without polling",
};
