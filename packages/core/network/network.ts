import { Agent, type Dispatcher } from "undici";
import { VconError } from "../errors/index.ts";
import { addressRule } from "./addresses.ts";
import { guardedConnector, type Lookup, sharedLookup, systemLookup } from "./connector.ts";
import { type Exchange, exchange, sentBody } from "./exchange.ts";
import { locationOf, MOST_REDIRECTS, redirected } from "./redirects.ts";

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

/** Plug-ins have time limits of their own, which may be longer than the usual five minutes. */
const SILENCE_MS = 3_600_000;

/** The real one. `allowed` are networks besides the public internet that plug-ins may reach. */
export function openNetwork(allowed: readonly string[] = [], lookup: Lookup = systemLookup): Network {
  const rule = addressRule(allowed);
  const lookUp = sharedLookup(lookup);
  const agents = new Map<string, Agent>();
  const agentFor = (origins: readonly string[]) =>
    new Agent({
      connect: guardedConnector(rule, new Set(origins), lookUp),
      allowH2: false,
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
    });
  return {
    fetchFor(services) {
      // a connection to a service is reused only by plug-ins that may make it
      const origins = [...new Set(services.map((service) => new URL(service).origin))].toSorted();
      const key = origins.join(" ");
      const agent = agents.get(key) ?? agentFor(origins);
      agents.set(key, agent);
      return fetchThrough(agent);
    },
    close: async () => void (await Promise.allSettled([...agents.values()].map((agent) => agent.destroy()))),
  };
}

function fetchThrough(dispatcher: Dispatcher): Fetch {
  return async (input, init = {}) => {
    const asked = input instanceof Request ? await partsOf(input) : { url: String(input) };
    const { url, method = "GET", headers, body, signal, redirect = "follow" } = { ...asked, ...given(init) };
    const written = new Headers(headers);
    const request: Exchange = {
      url: checkedAddress(url),
      method: method.toUpperCase(),
      headers: written,
      body: sentBody(body, written),
      signal: signal ?? undefined,
    };
    try {
      return await followed(dispatcher, request, redirect);
    } catch (error) {
      throw signal?.aborted ? signal.reason : failure(error);
    }
  };
}

async function followed(dispatcher: Dispatcher, first: Exchange, redirect: Request["redirect"]): Promise<Response> {
  let request = first;
  for (let count = 0; count <= MOST_REDIRECTS; count++) {
    const response = await exchange(dispatcher, request);
    const location = redirect === "manual" ? undefined : locationOf(response, request.url);
    if (!location) return count === 0 ? response : Object.defineProperty(response, "redirected", { value: true });
    await response.body?.cancel();
    if (redirect === "error") throw new Error("the answer is a redirect");
    request = redirected(request, response.status, checkedAddress(location.href));
  }
  throw new Error(`there were more than ${MOST_REDIRECTS} redirects`);
}

/** As the built-in `fetch` fails, so that whoever knows that one finds its reason in the cause. What refused says so itself. */
const failure = (error: unknown): unknown =>
  error instanceof VconError ? error : new TypeError("fetch failed", { cause: error });

function checkedAddress(text: string): URL {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new VconError("VCON_ADDRESS_REFUSED", "only http and https addresses can be fetched");
  if (url.username || url.password)
    throw new VconError("VCON_ADDRESS_REFUSED", `the address at ${url.host} carries a user: send it as a header`);
  return url;
}

interface Asked extends RequestInit {
  readonly url: string;
}

/** What a request holds, its body in one piece. */
async function partsOf(request: Request): Promise<Asked> {
  const { url, method, headers, signal, redirect } = request;
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  return { url, method, headers, signal, redirect, body };
}

/** What is `undefined` was not given. */
const given = (init: RequestInit): RequestInit =>
  Object.fromEntries(Object.entries(init).filter(([, value]) => value !== undefined));
