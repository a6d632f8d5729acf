import { VconError } from "@vcon-server/core";
import type { Redis } from "ioredis";
import { describeMissingRight, isReply, redisFailure } from "./failures.ts";
import type { Target } from "./url.ts";

/** The message of the server itself: a cluster client hides it in the failure of its last node. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "lastNodeError" in error && error.lastNodeError instanceof Error ? error.lastNodeError.message : error.message;
}

const DATABASE_REMEDY = "name a database the server has in REDIS_URL (`databases` in redis.conf; 0 to 15 as a rule)";

const REFUSALS: readonly { readonly sign: RegExp; readonly remedy: string }[] = [
  {
    sign: /Last error: (?:WRONGPASS|NOAUTH|ERR (?:AUTH|Client sent AUTH))/,
    remedy: "the Sentinels refuse the credentials: correct sentinel_username and sentinel_password in REDIS_URL",
  },
  {
    sign: /Last error: NOPERM/,
    remedy: "give the user of the Sentinels the right to call SENTINEL and PING (ACL SETUSER <name> +sentinel +ping)",
  },
  {
    sign: /Last error: ERR No such master/,
    remedy: "no Sentinel knows this master group: correct its name, which follows the hosts in REDIS_URL",
  },
  {
    sign: /^ERR (?:AUTH|Client sent AUTH)/,
    remedy: "the server asks for no password: set one there, or take it out of REDIS_URL",
  },
  { sign: /^(?:WRONGPASS|NOAUTH)/, remedy: "check user and password in REDIS_URL" },
  { sign: /^NOPERM/, remedy: "" },
  {
    sign: /certificate|Hostname\/IP does not match/i,
    remedy: "name the certificate's authority in NODE_EXTRA_CA_CERTS and its host name in REDIS_URL",
  },
];

/** True when trying again cannot help until a setting or a permission is changed. */
export const isRefusal = (error: unknown): boolean => refusalRemedy(error) !== undefined;

function refusalRemedy(error: unknown): string | undefined {
  if (error instanceof VconError) return error.retryable ? undefined : "";
  if (isFailedSelect(error) && !/^NOPERM/.test(messageOf(error))) return DATABASE_REMEDY;
  const refusal = REFUSALS.find(({ sign }) => sign.test(messageOf(error)));
  return refusal && (describeMissingRight(messageOf(error)) ?? refusal.remedy);
}

/** Turns what kept a connection from being made into a coded error that says where and what to change. */
export function connectFailure(error: unknown, where: string): VconError {
  if (error instanceof VconError) return error;
  const remedy = refusalRemedy(error);
  if (remedy === undefined) return redisFailure(error, "connecting to Redis", where);
  const message = `connecting to Redis (${where}): ${messageOf(error)}; ${remedy}`;
  return new VconError("VCON_BACKEND_UNFIT", message, { cause: error });
}

/** The client reports a refused SELECT as an event and would go on in database 0, among the keys of others. */
function isFailedSelect(error: unknown): boolean {
  if (!isReply(error) || !(error instanceof Error) || !("command" in error)) return false;
  const { command } = error;
  return typeof command === "object" && command !== null && "name" in command && command.name === "select";
}

/** Gives up every connection of this client on which the database cannot be selected, also after a reconnection. */
export function requireSelection(client: Redis): void {
  client.on("error", (error) => {
    if (isFailedSelect(error)) client.disconnect(true);
  });
}

/**
 * Compares what the server took with what was asked for. The client only warns when a server without a password is
 * given one, and a proxy may answer a SELECT without carrying it out.
 */
export async function confirmHandshake(client: Redis, { username, password, db }: Target): Promise<void> {
  if (password !== undefined) await client.call("auth", ...(username === undefined ? [] : [username]), password);
  const selected = await selectedDatabase(client);
  if (selected === undefined || selected === db) return;
  throw new VconError(
    "VCON_BACKEND_UNFIT",
    `connecting to Redis: database ${db} was asked for and ${selected} is selected; ${DATABASE_REMEDY}`,
  );
}

/** The database of this connection, where the user may ask and the server can tell. */
async function selectedDatabase(client: Redis): Promise<number | undefined> {
  try {
    const found = /(?:^| )db=(\d+)(?: |$)/m.exec(String(await client.call("client", "info")))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch (error) {
    if (!isReply(error)) throw error;
    return undefined;
  }
}
