import { lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { Agent, buildConnector, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from "undici";
import { VconError } from "../errors/index.ts";
import { type AddressRule, addressRule } from "./addresses.ts";

export type Fetch = typeof globalThis.fetch;

/** The way of plug-ins to the world outside. */
export interface Network {
  /**
   * A `fetch` that reaches public addresses, networks the deployment allows, and these services of the configuration.
   * What it must not reach is refused with `VCON_ADDRESS_REFUSED` when the connection is made, after names are resolved
   * and redirects followed.
   */
  fetchFor(services: readonly string[]): Fetch;
  close(): Promise<void>;
}

/** A network that answers with what a function returns, for tests and dry runs. */
export const stubNetwork = (fetch: Fetch): Network => ({ fetchFor: () => fetch, close: async () => undefined });

/** The real one. `allowed` are networks besides the public internet that plug-ins may reach. */
export function openNetwork(allowed: readonly string[] = []): Network {
  const rule = addressRule(allowed);
  const agents = new Map<string, Agent>();
  return {
    fetchFor(services) {
      const origins = [...new Set(services.map((service) => new URL(service).origin))].toSorted();
      const key = origins.join(" ");
      const agent = agents.get(key) ?? new Agent({ connect: guarded(rule, new Set(origins)) });
      agents.set(key, agent);
      return fetchThrough(agent);
    },
    close: async () => void (await Promise.allSettled([...agents.values()].map((agent) => agent.destroy()))),
  };
}

const CONNECT_MS = 10_000;

/** Connects only where the rule allows it. A name is looked up once: what was checked is what is connected to. */
function guarded(rule: AddressRule, services: ReadonlySet<string>): buildConnector.connector {
  const open = buildConnector({ timeout: CONNECT_MS });
  const careful = buildConnector({ timeout: CONNECT_MS, lookup: guardedLookup(rule) });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, "");
    const { origin } = new URL(`${options.protocol}//${options.hostname}${options.port ? `:${options.port}` : ""}`);
    if (services.has(origin)) return open(options, callback);
    if (isIP(host) !== 0 && !rule.allows(host)) return callback(refused(host, [host]), null);
    return careful(options, callback);
  };
}

function guardedLookup(rule: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "", 0);
      const good = addresses.filter(({ address }) => rule.allows(address));
      const [first] = good;
      if (!first)
        return callback(
          refused(
            hostname,
            addresses.map(({ address }) => address),
          ),
          "",
          0,
        );
      return options.all ? callback(null, good) : callback(null, first.address, first.family);
    });
  };
}

const refused = (host: string, addresses: readonly string[]): VconError =>
  new VconError(
    "VCON_ADDRESS_REFUSED",
    `${host} is ${addresses.join(", ")}, which is not on the public internet; if it must be reached, add its network to CONSERVER_ALLOWED_NETWORKS`,
    { details: { host } },
  );

function fetchThrough(dispatcher: Agent): Fetch {
  return async (input, init) => {
    const request = input instanceof Request ? await plainRequest(input) : { url: String(input), init: {} };
    if (!/^https?:/i.test(request.url))
      throw new VconError("VCON_ADDRESS_REFUSED", "only http and https addresses can be fetched");
    try {
      const sent = await encoded({ ...request.init, ...init });
      return (await undiciFetch(request.url, { ...sent, dispatcher })) as Response;
    } catch (error) {
      // "fetch failed" says nothing; what refused the connection does
      throw error instanceof Error && error.cause instanceof VconError ? error.cause : error;
    }
  };
}

async function plainRequest(request: Request): Promise<{ readonly url: string; readonly init: RequestInit }> {
  const { url, method, headers, signal, redirect } = request;
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  return { url, init: { method, headers, signal, redirect, body } };
}

/** Forms and blobs are written out here: the classes of the built-in fetch mean nothing to this one. */
async function encoded({ method, headers, body, signal, redirect }: RequestInit): Promise<UndiciRequestInit> {
  const written = new Headers(headers);
  const rest = {
    ...(method !== undefined && { method }),
    ...(redirect !== undefined && { redirect }),
    signal: signal ?? null,
  };
  if (body === undefined || body === null || typeof body === "string")
    return { ...rest, headers: [...written], body: body ?? null };
  const whole = new Response(body);
  const type = whole.headers.get("content-type");
  if (type !== null && !written.has("content-type")) written.set("content-type", type);
  return { ...rest, headers: [...written], body: new Uint8Array(await whole.arrayBuffer()) };
}
