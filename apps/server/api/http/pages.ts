import { type Logger, VconError } from "@vcon-server/core";
import { isLoopback } from "@vcon-server/core/config";
import type { FastifyRequest } from "fastify";
import type { GatewayDeps } from "../deps.ts";
import { isWanted } from "./expect.ts";
import { isChange } from "./query.ts";

/** Value of `Sec-Fetch-Site` for what the server's own pages send. */
const OWN_PAGE = "same-origin";

/**
 * Value of `Sec-Fetch-Site` for what is opened by the address bar or from another program. It stays through redirects:
 * a link in a mail may lead here by way of any page.
 */
const NO_PAGE = "none";

/** Milliseconds without a refusal after which the next one is logged. */
const QUIET_MS = 600_000;

/**
 * Refuses what pages of other origins make a browser send. Used while no token is configured: the server then listens on
 * the loopback only, and every page that is open in a browser on the machine reaches it there. The browser tells who
 * asks, and a page cannot change those headers; clients that are no browsers do not send them.
 */
export function createPageCheck({
  settings: { corsOrigins },
  clock,
  log,
}: Pick<GatewayDeps, "settings" | "clock" | "log">): (request: FastifyRequest) => void {
  // `*` names no page that could be trusted with an open server
  const origins = new Set(corsOrigins.filter((origin) => origin !== "*").map((origin) => new URL(origin).origin));
  const hosts = new Set([...origins].map((origin) => new URL(origin).hostname));

  function checkHost({ headers: { host } }: FastifyRequest): void {
    // HTTP/1.0 has none, and no browser speaks it
    if (host === undefined) return;
    const name = URL.parse(`http://${host}`)?.hostname.replace(/\.$/, "");
    if (name !== undefined && (isLoopback(name) || name.endsWith(".localhost") || hosts.has(name))) return;
    // DNS rebinding: a page of a foreign domain that resolves to this machine would be one of the same origin
    throw refusePage(`the request is for ${quote(host)}, which is no name of this machine's loopback`);
  }

  function checkOrigin(request: FastifyRequest): void {
    const { host, origin, "sec-fetch-site": site } = request.headers;
    if (origin !== undefined && origins.has(origin)) return;
    if (typeof site === "string") {
      if (site === OWN_PAGE || (site === NO_PAGE && !isChange(request))) return;
      if (site === NO_PAGE) throw refusePage("the request would change something, and no page of the server sends it");
      throw refusePage(`the request comes from a page of another origin${origin ? `, ${quote(origin)}` : ""}`);
    }
    if (origin === undefined || URL.parse(origin)?.host === host) return;
    throw refusePage(`the request comes from a page of another origin, ${quote(origin)}`);
  }

  const tell = createBurstLog(clock.now, log);
  return (request) => {
    try {
      checkHost(request);
      checkOrigin(request);
    } catch (error) {
      tell(error);
      throw error;
    }
    checkBody(request);
  };
}

/** Logs the first refusal of a burst: the page that is refused often cannot show the answer. */
function createBurstLog(now: () => number, log: Pick<Logger, "warn">): (error: unknown) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (error) => {
    const at = now();
    if (at - last >= QUIET_MS)
      log.warn("a page in a browser is refused; more of them are not logged until they stop", { error });
    last = at;
  };
}

/** A body without a media type is one that a page may send anywhere without asking first. */
function checkBody(request: FastifyRequest): void {
  if (!isWanted(request) || request.headers["content-type"]) return;
  throw new VconError(
    "VCON_INPUT_MEDIATYPE",
    "without a configured token a body needs a media type; send Content-Type: application/json",
  );
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 200));

const refusePage = (reason: string): VconError =>
  new VconError(
    "VCON_PAGE_REFUSED",
    `${reason}, and no token is configured; set CONSERVER_API_TOKEN, or name the origin in CONSERVER_CORS_ORIGINS`,
  );
