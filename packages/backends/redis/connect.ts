import type { Logger } from "@vcon-server/core";
import { Cluster, Redis, type RedisOptions } from "ioredis";
import { redisFailure } from "./failures.ts";
import { confirmHandshake, connectFailure, isRefusal, requireSelection } from "./handshake.ts";
import { keepAlive } from "./keep-alive.ts";
import type { Target } from "./url.ts";

/** Options of one connection; replies keep their plain shape. */
export type ClientOptions = Omit<RedisOptions, "replyMapping">;

export interface ConnectOptions {
  /** Milliseconds without an answer after which a connection is given up. */
  readonly timeout: number;
  readonly log: Logger;
}

/** A client that reconnects for ever; commands fail at once while it is away. */
export interface Connection {
  readonly client: Redis | Cluster;
  readonly cluster: boolean;
  readonly timeout: number;
  /** Connections to the nodes that hold the keys. */
  masters(): Redis[];
  /** Settles when a connection that has just been closed is open again, or when it turns out that Redis is away. */
  reopening(): Promise<void> | undefined;
  /** Options for another connection to one of `masters()`. */
  besides(node: Redis): ClientOptions;
  close(): void;
}

/** Milliseconds in which a connection that was closed while idle is opened again before anybody is told. */
const REOPEN_MS = 500;

const RECONNECT_MAX = 1_000;
const reconnectDelay = (attempt: number): number =>
  Math.min(25 * 2 ** Math.min(attempt, 6), RECONNECT_MAX) + Math.floor(Math.random() * 25);

function nodeOptions(target: Target, timeout: number): ClientOptions {
  return {
    protocol: 2,
    connectTimeout: timeout,
    // a server that stopped answering loses the connection, so that Sentinel is asked who is the master now
    socketTimeout: timeout,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    connectionName: "vcon-server",
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    ...(target.username !== undefined && { username: target.username }),
    ...(target.password !== undefined && { password: target.password }),
    ...(target.tls && { tls: {} }),
  };
}

function singleOptions(target: Target, timeout: number): ClientOptions {
  const { sentinel, nodes } = target;
  const common: ClientOptions = {
    ...nodeOptions(target, timeout),
    db: target.db,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: reconnectDelay,
  };
  if (target.kind !== "sentinel") return { ...common, ...nodes[0] };
  return {
    ...common,
    sentinels: [...nodes],
    name: target.master ?? "",
    sentinelRetryStrategy: reconnectDelay,
    sentinelCommandTimeout: timeout,
    ...(target.tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    ...(sentinel.username !== undefined && { sentinelUsername: sentinel.username }),
    ...(sentinel.password !== undefined && { sentinelPassword: sentinel.password }),
  };
}

/** Connects, or throws `VCON_BACKEND_DOWN` / `VCON_BACKEND_UNFIT` (refused credentials) within the timeout. */
export async function connect(target: Target, options: ConnectOptions): Promise<Connection> {
  if (target.kind === "cluster") return connectCluster(target, options);
  const single = await connectSingle(target, options);
  if (target.kind === "sentinel") return single;
  let clustered = false;
  try {
    clustered = await isClusterNode(single);
  } catch (error) {
    single.close();
    throw error;
  }
  if (!clustered) return single;
  single.close();
  return connectCluster({ ...target, kind: "cluster" }, options);
}

async function connectSingle(target: Target, { timeout, log }: ConnectOptions): Promise<Connection> {
  const client = new Redis(singleOptions(target, timeout));
  requireSelection(client);
  const outages = await untilReady(client, target, { timeout, log });
  const stop = await keepAlive(() => [client]);
  return {
    client,
    cluster: false,
    timeout,
    reopening: outages.reopening,
    masters: () => [client],
    besides: (node) => ({ ...nodeOptions(target, timeout), db: target.db, ...addressOf(node, target), ...once }),
    close() {
      stop();
      outages.ignore();
      client.disconnect();
    },
  };
}

async function connectCluster(target: Target, { timeout, log }: ConnectOptions): Promise<Connection> {
  const client = new Cluster([...target.nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    slotsRefreshTimeout: timeout,
    clusterRetryStrategy: reconnectDelay,
    redisOptions: nodeOptions(target, timeout),
    // certificates name hosts, not the addresses they resolve to
    ...(target.tls && { dnsLookup: (host, done) => done(null, host) }),
  });
  client.on("node error", (error) => log.debug("redis cluster node", { error: String(error) }));
  const outages = await untilReady(client, target, { timeout, log });
  const stop = await keepAlive(() => client.nodes("master"));
  return {
    client,
    cluster: true,
    timeout,
    reopening: () => undefined,
    masters: () => client.nodes("master"),
    besides: (node) => ({ ...nodeOptions(target, timeout), ...addressOf(node, target), ...once }),
    close() {
      stop();
      outages.ignore();
      client.disconnect();
    },
  };
}

/** A side connection does not reconnect: whoever made it makes a new one. */
const once: ClientOptions = { retryStrategy: () => null, lazyConnect: true };

/** The name a certificate was made for, except where Sentinel says who is the master now. */
function addressOf(node: Redis, { kind }: Target): ClientOptions {
  const { remoteAddress, remotePort } = kind === "sentinel" ? (node.stream ?? {}) : {};
  return {
    host: remoteAddress ?? node.options.host ?? "127.0.0.1",
    port: remotePort ?? node.options.port ?? 6379,
  };
}

/** Waits for the first "ready"; afterwards only tells the log about outages, until they are to be ignored. */
async function untilReady(client: Redis | Cluster, target: Target, { timeout, log }: ConnectOptions) {
  const where = target.nodes.map(({ host, port }) => `${host}:${port}`).join(",");
  let last: unknown;
  let ready = false;
  let away = false;
  let over = false;
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => undefined);
  client.on("error", (error) => {
    last = error;
    log.debug("redis connection", { server: where, error: String(error) });
    if (isRefusal(error)) first.reject(error);
  });
  let reopening: { readonly promise: Promise<void>; readonly over: () => void } | undefined;
  const giveUpReopening = () => {
    if (!reopening) return;
    reopening.over();
    reopening = undefined;
    if (!over) log.warn("redis is away, reconnecting", { server: where });
    away = true;
  };
  client.on("close", () => {
    if (reopening) return giveUpReopening();
    if (!ready || away || over) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(giveUpReopening, REOPEN_MS).unref();
    reopening = {
      promise,
      over() {
        clearTimeout(timer);
        resolve();
      },
    };
  });
  client.on("ready", () => {
    reopening?.over();
    reopening = undefined;
    if (away) log.info("redis is back", { server: where });
    ready = true;
    away = false;
    first.resolve();
  });
  // a connection that was being made while it was told to end stops trying: it is told to go on
  client.on("end", () => {
    if (!over) setTimeout(() => over || client.connect().catch(() => undefined), RECONNECT_MAX).unref();
  });
  const timer = setTimeout(() => first.reject(last ?? new Error(`no answer within ${timeout} ms`)), timeout);
  client.connect().catch((error: unknown) => {
    last ??= error;
  });
  try {
    await first.promise;
    if (!(client instanceof Cluster)) await confirmHandshake(client, target);
  } catch (error) {
    over = true;
    client.disconnect();
    throw connectFailure(error, where);
  } finally {
    clearTimeout(timer);
  }
  return {
    reopening: () => reopening?.promise,
    ignore() {
      over = true;
      reopening?.over();
    },
  };
}

async function isClusterNode({ client }: Connection): Promise<boolean> {
  try {
    return (await client.info("cluster")).includes("cluster_enabled:1");
  } catch (error) {
    throw redisFailure(error, "asking Redis whether it is a cluster");
  }
}
