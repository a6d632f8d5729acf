import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { VconError } from "../errors/index.ts";
import type { Settings } from "./settings.ts";
import { nearest } from "./suggest.ts";
import { decodeText } from "./text-file.ts";
import { VARIABLES, type Variable, type VariableName, WITHOUT_EFFECT } from "./variables.ts";
import { readVersion } from "./version.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the value of a variable comes from. */
export type SettingSource = "environment" | ".env" | "default" | "unset";

/** Something about a variable that does not keep the server from starting. */
export interface SettingFinding {
  readonly variable: string;
  readonly message: string;
  readonly remedy: string;
}

/** What `VCON_SERVER_VERSION`, `_GIT_COMMIT` and `_BUILD_TIME` say, for `/version` and `X-Vcon-Server-*`. */
export interface BuildInfo {
  readonly version: string;
  readonly gitCommit: string;
  readonly buildTime: string;
}

export interface SettingsRead {
  readonly settings: Settings;
  readonly build: BuildInfo;
  readonly findings: readonly SettingFinding[];
  readonly sources: ReadonlyMap<VariableName, SettingSource>;
  /** The environment with `.env` beneath it, for `${VAR}` in the configuration. */
  readonly env: Environment;
}

/**
 * Parses the environment over `.env` of the working directory over defaults.
 * Throws `VCON_SETTING_INVALID` that names every unusable variable with its remedy.
 */
export function readSettings(env: Environment, { cwd }: { readonly cwd: string }): SettingsRead {
  const problems: SettingFinding[] = [];
  const beneath = readDotEnv(cwd, problems);
  const merged: Environment = { ...beneath, ...defined(env) };
  const read = reader(merged, problems);
  const tokenFile = read("CONSERVER_API_TOKEN_FILE");
  const token = read("CONSERVER_API_TOKEN")?.trim();
  const tokens = [token, ...(tokenFile ? tokenLines(resolve(cwd, tokenFile), problems) : [])];
  read("CONSERVER_START_METHOD");
  const settings: Settings = {
    redisUrl: read("REDIS_URL"),
    dataDir: resolve(cwd, read("CONSERVER_DATA_DIR")),
    configFile: resolve(cwd, read("CONSERVER_CONFIG_FILE")),
    host: read("HOST"),
    port: read("PORT"),
    rootPath: read("API_ROOT_PATH"),
    apiTokens: [...new Set(tokens.filter((given) => given !== undefined && given !== ""))] as readonly string[],
    headerName: read("CONSERVER_HEADER_NAME"),
    workers: read("CONSERVER_WORKERS"),
    concurrency: read("CONSERVER_VCON_CONCURRENCY"),
    parallelStorage: read("CONSERVER_PARALLEL_STORAGE"),
    redisExpiry: read("VCON_REDIS_EXPIRY"),
    submitterExpiry: read("VCON_SUBMITTER_EXPIRY"),
    indexExpiry: read("VCON_INDEX_EXPIRY"),
    storageFallback: read("VCON_STORAGE_FALLBACK_ENABLED"),
    sortedSetName: read("VCON_SORTED_SET_NAME"),
    egressVersion: read("EGRESS_FORMAT_VERSION"),
    grace: read("CONSERVER_GRACE_SECS"),
    maxBodyBytes: read("CONSERVER_MAX_BODY_BYTES"),
    requestTimeout: read("CONSERVER_REQUEST_TIMEOUT_SECS"),
    corsOrigins: read("CONSERVER_CORS_ORIGINS") ?? [],
    allowedNetworks: read("CONSERVER_ALLOWED_NETWORKS") ?? [],
    logLevel: read("LOG_LEVEL"),
    redisAck: read("REDIS_ACK"),
    allowedLists: read("VCON_ALLOWED_LISTS") ?? [],
    allowEviction: read("VCON_ALLOW_EVICTION"),
    sqliteSynchronous: read("CONSERVER_SQLITE_SYNCHRONOUS"),
  };
  const build = {
    version: read("VCON_SERVER_VERSION") ?? readVersion(),
    gitCommit: read("VCON_SERVER_GIT_COMMIT"),
    buildTime: read("VCON_SERVER_BUILD_TIME"),
  };
  if (problems.length > 0) throw refused(problems);
  return { settings, build, findings: withoutEffect(merged), sources: sourcesOf(defined(env), beneath), env: merged };
}

/** Throws `VCON_SETTING_INVALID` when the server would be reachable from other machines without a token. */
export function requireSafeListener({ host, apiTokens }: Pick<Settings, "host" | "apiTokens">): void {
  if (apiTokens.length > 0 || isLoopback(host)) return;
  const remedy = "set CONSERVER_API_TOKEN or CONSERVER_API_TOKEN_FILE, or listen on HOST=127.0.0.1";
  throw refused([
    { variable: "HOST", message: `${host} is reachable from other machines and no token is configured`, remedy },
  ]);
}

/** Whether only this machine can connect to the address. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|\[?::1\]?|127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i.test(host);

type Variables = typeof VARIABLES;
type Value<K extends VariableName> =
  | ReturnType<Variables[K]["parse"]>
  | (Variables[K]["fallback"] extends string ? never : undefined);

/** Empty means unset, as everywhere in shells and compose files. */
const defined = (env: Environment): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1])));

const refused = (problems: readonly SettingFinding[]): VconError =>
  new VconError(
    "VCON_SETTING_INVALID",
    problems.map(({ variable, message, remedy }) => `${variable}: ${message}; ${remedy}`).join("\n"),
    { details: { problems } },
  );

function reader(env: Environment, problems: SettingFinding[]) {
  return <K extends VariableName>(name: K): Value<K> => {
    const known: Variable = VARIABLES[name];
    const given = env[name] || known.fallback;
    if (given === undefined) return undefined as Value<K>;
    try {
      return known.parse(given) as Value<K>;
    } catch (error) {
      const message = known.secret ? "the value is not usable" : `${JSON.stringify(given)} is not usable`;
      problems.push({ variable: name, message, remedy: error instanceof Error ? error.message : String(error) });
      return (known.fallback === undefined ? undefined : known.parse(known.fallback)) as Value<K>;
    }
  };
}

function readDotEnv(cwd: string, problems: SettingFinding[]): Readonly<Record<string, string>> {
  const text = readText(resolve(cwd, ".env"), ".env", problems);
  return text === undefined ? {} : defined(parseEnv(text));
}

function tokenLines(file: string, problems: SettingFinding[]): string[] {
  const text = readText(file, "CONSERVER_API_TOKEN_FILE", problems);
  const missing = text === undefined && problems.every(({ variable }) => variable !== "CONSERVER_API_TOKEN_FILE");
  if (missing) {
    const remedy = "create it with one token a line, or unset the variable";
    problems.push({ variable: "CONSERVER_API_TOKEN_FILE", message: `${file} does not exist`, remedy });
  }
  const lines = (text ?? "").split("\n").map((line) => line.trim());
  const tokens = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (text !== undefined && tokens.length === 0) {
    // without this the server would run without any
    const remedy = "write one token a line into it (`openssl rand -hex 32` makes one), or unset the variable";
    problems.push({ variable: "CONSERVER_API_TOKEN_FILE", message: `${file} holds no token`, remedy });
  }
  return tokens;
}

function readText(file: string, variable: string, problems: SettingFinding[]): string | undefined {
  try {
    const { text, fault } = decodeText(readFileSync(file));
    if (!fault) return text;
    problems.push({ variable, message: `${file} is not UTF-8 (line ${fault.line})`, remedy: fault.remedy });
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    if (code === "ENOENT") return undefined;
    problems.push({
      variable,
      message: `${file} cannot be read (${code})`,
      remedy: "make it a file this user may read",
    });
    return undefined;
  }
}

function sourcesOf(real: Environment, beneath: Environment): ReadonlyMap<VariableName, SettingSource> {
  const source = (name: VariableName): SettingSource => {
    if (real[name] !== undefined) return "environment";
    if (beneath[name] !== undefined) return ".env";
    return VARIABLES[name].fallback === undefined ? "unset" : "default";
  };
  return new Map(variableNames().map((name) => [name, source(name)]));
}

const variableNames = (): VariableName[] => Object.keys(VARIABLES) as VariableName[];

function withoutEffect(env: Environment): SettingFinding[] {
  const known = variableNames();
  const findings: SettingFinding[] = [];
  for (const name of Object.keys(env)) {
    const instead = WITHOUT_EFFECT[name];
    if (instead !== undefined) findings.push({ variable: name, message: "has no effect", remedy: instead });
    if (!/^(CONSERVER|VCON|REDIS)_/.test(name) || known.some((variable) => variable === name)) continue;
    // container platforms inject variables of their own, so that only a slip of the pen is worth a word
    const meant = nearest(name, known, 2);
    if (meant) findings.push({ variable: name, message: "is not a setting", remedy: `did you mean ${meant}?` });
  }
  return findings;
}
