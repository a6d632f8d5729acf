import type { Logger } from "@vcon-server/core";
import type { Pool, PoolClient, PoolConfig } from "pg";
import { abortable } from "../_shared/abortable.ts";

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
    // a process that has nothing else to do may end while connections rest in the pool
    allowExitOnIdle: true,
  };
}

/** Connections, and calls on them that end when their time is over. */
export interface Connections {
  /** Runs `use` with a connection of its own. Rejects with the signal's reason when it aborts. */
  with<T>(signal: AbortSignal, use: (client: PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function openConnections(pool: Pool, log: Logger): Connections {
  // a connection that breaks while it rests; without a listener that would end the process
  pool.on("error", (error) => log.debug("postgres: a resting connection broke", { error: error.message }));
  return {
    async with(signal, use) {
      signal.throwIfAborted();
      const connecting = pool.connect();
      const client = await abortable(signal, connecting).catch((error: unknown) => {
        connecting.then((late) => late.release(), ignore);
        throw error;
      });
      let released = false;
      const release = (broken: boolean) => {
        if (released) return;
        released = true;
        // a broken one may yet say more, which nobody needs to hear
        if (!broken) client.off("error", ignore);
        client.release(broken);
      };
      // while it is lent out, the pool does not listen for errors of a connection
      client.on("error", ignore);
      const aborted = () => release(true);
      signal.addEventListener("abort", aborted, { once: true });
      try {
        return await abortable(signal, use(client));
      } catch (error) {
        // after an error inside a transaction, or of the connection, only a new one is surely clean
        release(!isReply(error) || signal.aborted);
        throw error;
      } finally {
        signal.removeEventListener("abort", aborted);
        release(false);
      }
    },
    close: () => pool.end(),
  };
}

/** Whether the server answered with an error, as opposed to not answering. */
const isReply = (error: unknown): boolean =>
  error instanceof Error && "severity" in error && error.severity === "ERROR";

const ignore = () => undefined;
