import { isIP } from "node:net";
import { addressRule } from "../network/addresses.ts";
import type { Draft } from "./draft.ts";
import type { Report } from "./findings.ts";
import type { Environment } from "./read-settings.ts";
import { eachText, factsOf } from "./schema-facts.ts";
import { VARIABLES } from "./variables.ts";

/** Receivers that `fetch` will refuse to connect to, as far as their address or name tells. */
export function checkAddresses(
  { chains }: Draft,
  { env, report }: { readonly env: Environment; readonly report: Report },
) {
  const allowed = allowedNetworks(env);
  for (const { plugin, options, place } of chains.flatMap(({ steps }) => steps)) {
    if (!plugin || !options) continue;
    eachText(options, factsOf(plugin.options), (text, path, nodes) => {
      if (!nodes.some((node) => node.receiver)) return;
      const refused = refusedHost(text, allowed);
      if (refused) report("VCON_CONFIG_ADDRESS", { path: place(path), ...refused });
    });
  }
}

const THIS_MACHINE = ["127.0.0.1", "::1"];

/** Names that only resolve inside a network of one's own. */
const INSIDE = /^[^.]+$|\.(local|internal|intranet|lan|home|corp)$/;

function refusedHost(url: string, allowed: readonly string[]) {
  if (!URL.canParse(url)) return undefined;
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
  const rule = addressRule(allowed);
  if (/(^|\.)localhost$/.test(host) || isIP(host) !== 0) {
    const addresses = isIP(host) === 0 ? THIS_MACHINE : [host];
    if (addresses.some(rule.allows)) return undefined;
    const message = `${host} is no public address, so that nothing is sent to it`;
    return { message, remedy: `set CONSERVER_ALLOWED_NETWORKS=${[...allowed, ...addresses].join(",")}` };
  }
  // which addresses a name has is known when it is connected to
  if (allowed.length > 0 || !INSIDE.test(host)) return undefined;
  const message = `${host} looks like a name of a private network, and nothing is sent to private addresses`;
  return { message, remedy: "name its network in CONSERVER_ALLOWED_NETWORKS, such as 10.0.0.0/8" };
}

/** The setting as it is used; one that cannot be read keeps the server from starting anyway. */
function allowedNetworks(env: Environment): readonly string[] {
  const { CONSERVER_ALLOWED_NETWORKS: given } = env;
  try {
    return given ? VARIABLES.CONSERVER_ALLOWED_NETWORKS.parse(given) : [];
  } catch {
    return [];
  }
}
