import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";
import { VconError } from "../errors/index.ts";
import type { AddressRule } from "./addresses.ts";

/** Finds the addresses of a name; rejects when there are none. */
export type Lookup = (hostname: string, options: LookupOptions) => Promise<readonly LookupAddress[]>;

const CONNECT_MS = 10_000;

/** The resolver of the machine. */
export const systemLookup: Lookup = (hostname, options) => lookup(hostname, { ...options, all: true });

/**
 * Connects where the rule allows it, and to the origins of these services wherever they are. A name is looked up once
 * for a connection: what was checked is what is connected to. Connections speak HTTP/1.1, so that a slow answer holds
 * up nobody else's.
 */
export function guardedConnector(
  rule: AddressRule,
  services: ReadonlySet<string>,
  lookUp: Lookup,
): buildConnector.connector {
  const connector = (lookup: LookupFunction) => buildConnector({ timeout: CONNECT_MS, allowH2: false, lookup });
  const open = connector(checkedLookup(lookUp, () => true));
  const careful = connector(checkedLookup(lookUp, rule.allows));
  return (options, callback) => {
    const { hostname, protocol, port } = options;
    const { origin } = new URL(`${protocol}//${isIP(hostname) === 6 ? `[${hostname}]` : hostname}:${port}`);
    if (services.has(origin)) return open(options, callback);
    if (isIP(hostname) !== 0 && !rule.allows(hostname)) return callback(refused(hostname), null);
    return careful(options, callback);
  };
}

/** Gives only addresses that are allowed, as the resolver ordered them. */
function checkedLookup(lookUp: Lookup, allows: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    const check = (found: readonly LookupAddress[]) => {
      const good = found.filter(({ address }) => allows(address));
      const [first] = good;
      if (!first) return callback(refused(hostname, found), "", 0);
      return options.all ? callback(null, good) : callback(null, first.address, first.family);
    };
    lookUp(hostname, options).then(check, (error: Error) => callback(error, "", 0));
  };
}

function refused(host: string, found: readonly LookupAddress[] = []): VconError {
  const some = found.slice(0, 4).map(({ address }) => address);
  const name = some.length === 0 ? host : `${host} (${some.join(", ")})`;
  const remedy = "if it must be reached, add its network to CONSERVER_ALLOWED_NETWORKS";
  return new VconError("VCON_ADDRESS_REFUSED", `${name} is not on the public internet; ${remedy}`, {
    details: { host },
  });
}

/** Callers that ask for the same name at the same time share one answer: the resolver of the machine takes few at once. */
export function sharedLookup(lookUp: Lookup): Lookup {
  const asked = new Map<string, Promise<readonly LookupAddress[]>>();
  return (hostname, options) => {
    const key = `${hostname} ${options.family ?? 0} ${options.hints ?? 0}`;
    const underWay = asked.get(key);
    if (underWay) return underWay;
    const answer = lookUp(hostname, options).finally(() => asked.delete(key));
    asked.set(key, answer);
    return answer;
  };
}
