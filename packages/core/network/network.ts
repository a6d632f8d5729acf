import { Agent, FormData as FormBody, type RequestInit as UndiciInit, fetch as undiciFetch } from "undici";
import { VconError } from "../errors/index.ts";
import { addressRule } from "./addresses.ts";
import { guardedConnector, type Lookup, sharedLookup, systemLookup } from "./connector.ts";

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

function fetchThrough(dispatcher: Agent): Fetch {
  return async (input, init = {}) => {
    const asked = input instanceof Request ? await partsOf(input) : { url: String(input) };
    checkAddress(asked.url);
    try {
      return (await undiciFetch(asked.url, { ...understood({ ...asked, ...given(init) }), dispatcher })) as Response;
    } catch (error) {
      // "fetch failed" says nothing; what refused the connection does
      throw error instanceof Error && error.cause instanceof VconError ? error.cause : error;
    }
  };
}

function checkAddress(text: string): void {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new VconError("VCON_ADDRESS_REFUSED", "only http and https addresses can be fetched");
  if (url.username || url.password)
    throw new VconError("VCON_ADDRESS_REFUSED", `the address at ${url.host} carries a user: send it as a header`);
}

interface Asked extends RequestInit {
  readonly url: string;
}

/** A request is taken apart: the class of the built-in fetch means nothing to this one. */
async function partsOf(request: Request): Promise<Asked> {
  const { url, method, headers, signal, redirect } = request;
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  return { url, method, headers, signal, redirect, body };
}

/** What is `undefined` was not given. */
const given = (init: RequestInit): RequestInit =>
  Object.fromEntries(Object.entries(init).filter(([, value]) => value !== undefined));

/** Only what is meant for the request: nobody brings a dispatcher of their own. */
function understood({ method, headers, body, signal, redirect }: Asked): UndiciInit {
  return {
    ...(method !== undefined && { method }),
    ...(redirect !== undefined && { redirect }),
    headers: [...new Headers(headers)],
    body: body instanceof FormData ? formBody(body) : (body ?? null),
    signal: signal ?? null,
    duplex: "half",
  };
}

function formBody(form: FormData): FormBody {
  const body = new FormBody();
  for (const [name, value] of form) {
    if (typeof value === "string") body.append(name, value);
    else body.append(name, value, value.name);
  }
  return body;
}
