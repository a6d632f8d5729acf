import type { Logger } from "@vcon-server/core";
import type { Pool, PoolClient, PoolConfig } from "pg";
import { abortable } from "../_shared/abortable.ts";
import { readSqlState } from "./failures.ts";

export interface ConnectionOptions {
  readonly url?: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string | undefined;
  readonly name?: string | undefined;
  readonly pool_size: number;
  readonly ssl: boolean;
  readonly ssl_ca?: string | undefined;
  readonly ssl_cert?: string | undefined;
  readonly ssl_key?: string | undefined;
}

const CONNECT_MS = 5_000;
/** Milliseconds without traffic after which a connection that waits for an answer shows that it is alive. */
const KEEP_ALIVE_MS = 30_000;

/** What the driver needs to know. Certificates are always checked: there is no option to leave that out. */
export function poolConfig(options: ConnectionOptions): PoolConfig {
  const { url, host, port, database, user, password } = options;
  const tls = { rejectUnauthorized: true, ca: options.ssl_ca, cert: options.ssl_cert, key: options.ssl_key };
  const present = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
  return {
    ...(url === undefined
      ? { host, port, database, user, ...(password !== undefined && { password }) }
      : { connectionString: url }),
    ...(options.ssl && { ssl: present }),
    application_name: options.name ?? "vcon-server",
    max: options.pool_size,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    // a process that has nothing else to do may end while connections rest in the pool
    allowExitOnIdle: true,
  };
}

/** Connections, and calls on them that end when their time is over. */
export interface Connections {
  /**
   * Runs `use` with a connection of its own, and again with another one when a connection that had been used before
   * turns out to be cut: `use` must be safe to repeat. Rejects with the signal's reason when it aborts.
   */
  with<T>(signal: AbortSignal, use: (client: PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function openConnections(pool: Pool, log: Logger): Connections {
  // a connection that breaks while it rests; without a listener that would end the process
  pool.on("error", (error) => log.debug("postgres: a resting connection broke", { error: error.message }));
  // while it is lent out, the pool does not listen for errors of a connection; a server that ends may send its last
  // words together with the answer that lends it out, before anybody else could listen
  pool.on("connect", (client) => void client.on("error", ignore));
  const used = new WeakSet<PoolClient>();

  async function take(signal: AbortSignal): Promise<PoolClient> {
    signal.throwIfAborted();
    const connecting = pool.connect();
    return abortable(signal, connecting).catch((error: unknown) => {
      connecting.then((late) => late.release(), ignore);
      throw error;
    });
  }

  return {
    async with(signal, use) {
      for (;;) {
        const client = await take(signal);
        const wasUsed = used.has(client);
        used.add(client);
        try {
          return await runOn(client, signal, use);
        } catch (error) {
          // servers, proxies and firewalls cut connections that rest, which shows only when they are used again
          if (!wasUsed || signal.aborted || isUsable(error)) throw error;
          log.debug("postgres: a connection was cut while it rested; another one is used", { error });
        }
      }
    },
    close: () => pool.end(),
  };
}

/** Runs one use and gives the connection back; one that is surely clean no more is closed. */
async function runOn<T>(client: PoolClient, signal: AbortSignal, use: (client: PoolClient) => Promise<T>): Promise<T> {
  let released = false;
  const release = (broken: boolean) => {
    if (released) return;
    released = true;
    client.release(broken);
  };
  const aborted = () => release(true);
  signal.addEventListener("abort", aborted, { once: true });
  try {
    return await abortable(signal, use(client));
  } catch (error) {
    release(!isUsable(error) || signal.aborted);
    throw error;
  } finally {
    signal.removeEventListener("abort", aborted);
    release(false);
  }
}

/** A server that became a standby, or that was told to only read, may answer so on old connections for ever. */
const READ_ONLY = "25006";

/** True when the connection stays usable after this error: the server answered, and would answer alike on a new one. */
const isUsable = (error: unknown): boolean =>
  error instanceof Error && "severity" in error && error.severity === "ERROR" && readSqlState(error) !== READ_ONLY;

const ignore = () => undefined;
