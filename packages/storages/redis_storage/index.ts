import { defineStorage, type Logger, namedOtherwise, secret, VconError } from "@vcon-server/core";
import type { VconUuid } from "@vcon-server/vcon";
import type { Redis } from "ioredis";
import { z } from "zod";
import { abortable } from "../_shared/abortable.ts";
import { readStored } from "../_shared/read-stored.ts";

/** Milliseconds a server may be silent before the connection is given up. */
const PATIENCE_MS = 5_000;
const LONGEST_PAUSE_MS = 2_000;

export default defineStorage({
  name: "redis_storage",
  summary: "Keeps each vCon as JSON text in a Redis server for a limited time.",
  hints: {
    ...namedOtherwise({ ttl: "expires", expire: "expires", url: "redis_url", key_prefix: "prefix" }),
    host: "write `redis_url: redis://host:6379/0`",
    port: "write `redis_url: redis://host:6379/0`",
    password: "write `redis_url: redis://user:password@host:6379/0`",
    db: "write it at the end of redis_url, such as /0",
  },
  options: z.strictObject({
    redis_url: secret()
      .refine((url) => /^rediss?:\/\/[^/]/.test(url), "must begin with redis:// or rediss:// (TLS) and name a host")
      .describe("Server, as `redis://[user:password@]host[:port][/database]`; `rediss://` for TLS."),
    prefix: z.string().min(1).default("vcon_storage").describe("First part of the keys, which are `prefix:uuid`."),
    expires: z
      .int()
      .min(0)
      .default(604_800)
      .describe("Seconds a vCon is kept after it was last saved; 0 keeps it for good."),
  }),
  dependencies: { ioredis: () => import("ioredis") },
  open({ options, deps, log }) {
    const client = new deps.ioredis.Redis(options.redis_url, {
      lazyConnect: true,
      protocol: 2,
      connectTimeout: PATIENCE_MS,
      socketTimeout: PATIENCE_MS,
      // whoever dispatches decides about trying again: a command on a broken connection fails at once
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), LONGEST_PAUSE_MS),
      disableClientInfo: true,
      connectionName: "vcon-server:redis_storage",
    });
    watch(client, log);
    const selection = requireSelection(client);
    const keyOf = (uuid: VconUuid): string => `${options.prefix}:${uuid}`;
    const ttl = options.expires > 0 ? (["EX", options.expires] as const) : undefined;
    const asked = async <T>(doing: string, signal: AbortSignal, ask: () => Promise<T>): Promise<T> => {
      signal.throwIfAborted();
      try {
        return await abortable(signal, ask());
      } catch (error) {
        throw signal.aborted ? error : coded(doing, selection.refusal() ?? error);
      }
    };
    return {
      async save({ uuid, bytes }, { signal }) {
        const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        await asked(`saving ${uuid}`, signal, () =>
          ttl ? client.set(keyOf(uuid), value, ...ttl) : client.set(keyOf(uuid), value),
        );
      },
      async saveMany(docs, { signal }) {
        const batch = client.multi();
        for (const { uuid, bytes } of docs) {
          const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          if (ttl) batch.set(keyOf(uuid), value, ...ttl);
          else batch.set(keyOf(uuid), value);
        }
        await asked(`saving ${docs.length} vCons`, signal, async () => {
          const replies = await batch.exec();
          for (const [error] of replies ?? []) if (error) throw error;
        });
      },
      async load(uuid, { signal }) {
        const bytes = await asked(`loading ${uuid}`, signal, () => client.getBuffer(keyOf(uuid)));
        return bytes === null ? undefined : readStored(`the key of ${uuid}`, bytes);
      },
      async delete(uuid, { signal }) {
        await asked(`deleting ${uuid}`, signal, () => client.del(keyOf(uuid)));
      },
      async check({ signal }) {
        await asked("asking for a PING", signal, () => client.ping());
      },
      close: () => client.disconnect(),
    };
  },
});

/** One line when the server goes away and one when it is back. */
function watch(client: Redis, log: Logger): void {
  let away = false;
  client.on("error", (error) => {
    if (!away) log.warn("redis_storage: the server does not answer, reconnecting", { error: error.message });
    away = true;
  });
  client.on("ready", () => {
    if (away) log.info("redis_storage: the server is back");
    away = false;
  });
}

/**
 * Gives up every connection on which the database cannot be selected: the client only reports it as an event and would
 * go on in database 0, among the keys of others.
 */
function requireSelection(client: Redis): { refusal(): Error | undefined } {
  let refusal: Error | undefined;
  client.on("error", (error: Error & { readonly command?: { readonly name?: string } }) => {
    if (error.name !== "ReplyError" || error.command?.name !== "select") return;
    refusal = error;
    client.disconnect(true);
  });
  client.on("ready", () => {
    refusal = undefined;
  });
  return { refusal: () => refusal };
}

/** Error replies that say the value is at fault; all others pass when somebody puts the server right. */
const REFUSALS = /^WRONGTYPE |^ERR .*(?:exceeds maximum|invalid bulk length|too (?:big|large)|max(?:imum)? .*size)/i;

const REMEDIES: readonly (readonly [sign: RegExp, remedy: string])[] = [
  [/^(?:WRONGPASS|NOAUTH) /, "check user and password in redis_url"],
  [/^NOPERM /, "give the user in redis_url this right (ACL SETUSER)"],
  [/ DB index /, "name a database the server has in redis_url (`databases` in redis.conf)"],
  [/unknown command/i, "allow SET, GET, DEL, MULTI, EXEC and PING on the server"],
];

function coded(doing: string, error: unknown): VconError {
  const cause = firstCause(error);
  const message = cause instanceof Error ? cause.message : String(cause);
  const isReply = cause instanceof Error && cause.name === "ReplyError";
  if (isReply && REFUSALS.test(message)) {
    return new VconError("VCON_STORAGE_REFUSED", `${doing}: Redis refuses: ${message}`, { cause });
  }
  const said = isReply ? `Redis answers ${message}` : `the server of redis_url does not answer (${message})`;
  const remedy = REMEDIES.find(([sign]) => sign.test(message))?.[1] ?? "it is tried again";
  return new VconError("VCON_STORAGE_DOWN", `${doing}: ${said}; ${remedy}`, { cause });
}

/** Why a transaction was discarded stands in the failure of the command inside it. */
function firstCause(error: unknown): unknown {
  if (!(error instanceof Error) || !("previousErrors" in error) || !Array.isArray(error.previousErrors)) return error;
  return error.previousErrors[0] ?? error;
}
