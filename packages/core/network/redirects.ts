import { Readable } from "node:stream";
import { VconError } from "../errors/index.ts";
import type { Exchange } from "./exchange.ts";

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
export const MOST_REDIRECTS = 20;

/**
 * Headers that another origin may see. All others were meant for the one they were sent to: keys and signatures stand
 * under names that operators choose.
 */
const HARMLESS: readonly string[] = ["accept", "accept-language", "range", "user-agent"];
const OF_A_BODY: readonly string[] = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-type",
];

/** Where an answer leads to; `undefined` when it is an answer of its own. Throws when that is no address. */
export function locationOf({ status, headers }: Response, from: URL): URL | undefined {
  const location = headers.get("location");
  if (!REDIRECTS.includes(status) || location === null) return undefined;
  const to = URL.parse(location, from.href);
  if (!to) throw new TypeError("fetch failed", { cause: new Error("the redirect leads to no address") });
  return to;
}

/**
 * The request that follows a redirect (Fetch standard, section 4.4). Throws when its body cannot be sent twice, or would
 * go to another origin: the first one would decide who gets a conversation.
 */
export function redirected(request: Exchange, status: number, url: URL): Exchange {
  const { method } = request;
  const asGet = (status <= 302 && method === "POST") || (status === 303 && method !== "GET" && method !== "HEAD");
  const headers = new Headers(request.headers);
  if (asGet) for (const name of OF_A_BODY) headers.delete(name);
  if (url.origin !== request.url.origin) {
    if (!asGet && request.body !== null) {
      throw new VconError(
        "VCON_ADDRESS_REFUSED",
        `${request.url.origin} redirects to ${url.origin}, and a body is not passed on to another origin; name the address it is meant for`,
      );
    }
    for (const name of [...headers.keys()]) if (!HARMLESS.includes(name)) headers.delete(name);
  }
  if (!asGet && request.body instanceof Readable)
    throw new TypeError("fetch failed", {
      cause: new Error("a stream cannot be sent again to where the redirect leads"),
    });
  return { ...request, url, headers, ...(asGet && { method: "GET", body: null }) };
}
