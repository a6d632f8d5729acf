import { readFile } from "node:fs/promises";
import type { Client, ClientOptions } from "@elastic/elasticsearch";
import { type Call, VconError } from "@vcon-server/core";
import { abortable } from "../_shared/abortable.ts";
import { askDespiteCuts } from "../_shared/cut-connection.ts";
import { elasticFailure } from "./failures.ts";

export interface ConnectionOptions {
  readonly cloud_id?: string | undefined;
  readonly url?: string | undefined;
  readonly api_key?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly ca_certs?: string | undefined;
  readonly name?: string | undefined;
  readonly pool_size: number;
}

/** Milliseconds an unused connection is kept: less than load balancers do. */
const KEEP_ALIVE_MS = 50_000;

/** What the client needs to know. Certificates are always checked: there is no option to leave that out. */
export async function clientOptions(options: ConnectionOptions): Promise<ClientOptions> {
  const { cloud_id, url, api_key, username, password, name } = options;
  const ca = await authority(options.ca_certs);
  return {
    ...(cloud_id === undefined ? { node: url ?? "" } : { cloud: { id: cloud_id } }),
    ...(api_key !== undefined && { auth: { apiKey: api_key } }),
    ...(username !== undefined && { auth: { username, password: password ?? "" } }),
    tls: { rejectUnauthorized: true, ...(ca !== undefined && { ca }) },
    // whoever dispatches decides about trying again
    maxRetries: 0,
    sniffOnStart: false,
    sniffOnConnectionFault: false,
    sniffInterval: false,
    resurrectStrategy: "none",
    enableMetaHeader: false,
    agent: { connections: options.pool_size, keepAliveTimeout: KEEP_ALIVE_MS, keepAliveMaxTimeout: KEEP_ALIVE_MS },
    headers: {
      // the client's own media types are those of version 9 only; plain JSON is understood by 8 as well
      accept: "application/json",
      "content-type": "application/json",
      ...(name !== undefined && { "x-opaque-id": name }),
    },
  };
}

/** The certificate authority: PEM itself, or a file of it. */
async function authority(given: string | undefined): Promise<string | undefined> {
  if (given === undefined || given.includes("-----BEGIN")) return given;
  try {
    return await readFile(given, "utf8");
  } catch (cause) {
    throw new VconError(
      "VCON_STORAGE_DOWN",
      `reading ca_certs ${given} failed; put the file there or correct the path`,
      {
        cause,
      },
    );
  }
}

/** What every request gets: the signal that ends it. */
export type Ask<T> = (client: Client, options: { readonly signal: AbortSignal }) => Promise<T>;

/** Asks the cluster, again where a connection turns out to be cut. Every failure is coded, except that a call's time is over: that is the signal's reason. */
export type Asked = <T>(doing: string, call: Call, ask: Ask<T>) => Promise<T>;

export const askedOf =
  (client: Client, connections: number): Asked =>
  async (doing, { signal }, ask) => {
    signal.throwIfAborted();
    try {
      return await abortable(
        signal,
        askDespiteCuts({ signal, connections }, () => ask(client, { signal })),
      );
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw elasticFailure(doing, error);
    }
  };
