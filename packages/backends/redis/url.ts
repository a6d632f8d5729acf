import { VconError } from "@vcon-server/core";

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/** What a Redis URL says. */
export interface Target extends Credentials {
  readonly kind: "single" | "sentinel" | "cluster";
  readonly tls: boolean;
  readonly nodes: readonly [Address, ...Address[]];
  readonly db: number;
  /** Name of the master group (Sentinel only). */
  readonly master?: string;
  readonly sentinel: Credentials;
}

const SCHEMES: Readonly<Record<string, Pick<Target, "kind" | "tls">>> = {
  redis: { kind: "single", tls: false },
  rediss: { kind: "single", tls: true },
  "redis+sentinel": { kind: "sentinel", tls: false },
  "rediss+sentinel": { kind: "sentinel", tls: true },
  "redis+cluster": { kind: "cluster", tls: false },
  "rediss+cluster": { kind: "cluster", tls: true },
};

const FORMS =
  "redis://[user:password@]host[:port][/db], redis+sentinel://host:port,host:port/<master name>[?db=0] or " +
  "redis+cluster://host:port,host:port (rediss… for TLS)";

/** Parses `REDIS_URL`. Throws `VCON_SETTING_INVALID`; the message never shows the password. */
export function parseRedisUrl(url: string): Target {
  const match = /^([a-z+]+):\/\/(?:([^@/?]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(url.trim());
  const scheme = SCHEMES[match?.[1]?.toLowerCase() ?? ""];
  if (!match || !scheme) throw bad("it is none of the known forms");
  const [, , user, hosts = "", path = "", query = ""] = match;
  const parameter = (name: string) => readParameter(query, name);
  const sentinel = credentials(parameter("sentinel_username"), parameter("sentinel_password"));
  const [name, password] = user === undefined ? [] : splitUser(user);
  const common = { ...scheme, nodes: addresses(hosts, scheme.kind), ...credentials(name, password), sentinel };
  if (scheme.kind === "sentinel") {
    const master = decode(path);
    if (master === "") throw bad("the name of the master group is missing after the last host");
    return { ...common, master, db: database(parameter("db") ?? "") };
  }
  const db = database(parameter("db") ?? path);
  if (scheme.kind === "cluster" && db !== 0) throw bad("a cluster has database 0 only");
  return { ...common, db };
}

function addresses(hosts: string, kind: Target["kind"]): [Address, ...Address[]] {
  const fallback = kind === "sentinel" ? 26379 : 6379;
  const [first, ...rest] = hosts.split(",").map((text, at) => {
    const match = /^(\[[0-9a-f:.]+\]|[^:[\]\s]+)?(?::(\d{1,5}))?$/i.exec(text.trim());
    const port = Number(match?.[2] ?? fallback);
    if (!match || port < 1 || port > 65_535)
      throw bad(`address ${at + 1} is no host:port (encode / and @ in a password)`);
    return { host: (match[1] ?? "127.0.0.1").replace(/^\[|\]$/g, ""), port };
  });
  if (kind === "single" && rest.length > 0) throw bad("several hosts need redis+sentinel:// or redis+cluster://");
  return [first as Address, ...rest];
}

function splitUser(user: string): [string | undefined, string | undefined] {
  const colon = user.indexOf(":");
  return colon < 0 ? [user, undefined] : [user.slice(0, colon) || undefined, user.slice(colon + 1) || undefined];
}

/** A parameter as it is written, still encoded: a plus stays a plus, as in the rest of the URL. */
function readParameter(query: string, name: string): string | undefined {
  const found = query.split("&").find((pair) => pair.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

function credentials(username: string | undefined, password: string | undefined): Credentials {
  return { ...(username && { username: decode(username) }), ...(password && { password: decode(password) }) };
}

function database(text: string): number {
  if (text === "") return 0;
  if (!/^\d{1,5}$/.test(text)) throw bad("what follows the host is no database number");
  return Number(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad("it has a % that is not followed by two hexadecimal digits");
  }
}

const bad = (why: string) => new VconError("VCON_SETTING_INVALID", `REDIS_URL cannot be used: ${why}; write ${FORMS}`);
