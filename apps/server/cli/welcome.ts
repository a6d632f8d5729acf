import type { ChainPlan, Plan, Settings } from "@vcon-server/core/config";

type Where = Pick<
  Settings,
  "host" | "port" | "rootPath" | "apiTokens" | "headerName" | "redisUrl" | "dataDir" | "configFile"
>;

/**
 * What `start` says once everything is ready: the address, one line to try it with, and where the result lands.
 * `address` is where the gateway really listens, when that is known better than from the settings (port 0).
 */
export function welcome(settings: Where, plan: Plan, address = addressOf(settings)): string {
  const chain = plan.chains.find(({ enabled, ingressLists }) => enabled && ingressLists.length > 0);
  const kept =
    settings.redisUrl === undefined
      ? `everything is kept in ${settings.dataDir}`
      : "queues and working copies are in Redis";
  const lines = [`vCon Server is ready on ${address} (API docs: ${address}/docs); ${kept}.`];
  if (settings.apiTokens.length === 0)
    lines.push("No token is set: only this machine can reach it, and everybody on it may use it.");
  if (chain === undefined)
    return [...lines, `${settings.configFile} has no enabled chain: vCons are stored and not processed.`].join("\n");
  lines.push(`Running ${settings.configFile}: ${chainsOf(plan)}.`);
  return [
    ...lines,
    "",
    "Send the sample vCon:",
    `  ${curlLine(settings, chain, address)}`,
    ...results(settings, plan, chain, address),
  ].join("\n");
}

const MOST_NAMES = 6;

/** The chains that run, by name as far as they fit into a line. */
function chainsOf(plan: Plan): string {
  const names = plan.chains.filter(({ enabled }) => enabled).map(({ name }) => name);
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return `${names.length === 1 ? "chain" : "chains"} ${names.slice(0, MOST_NAMES).join(", ")}${more}`;
}

/** The address a client on this machine uses. */
export function addressOf({ host, port }: Pick<Settings, "host" | "port">): string {
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${reachable.includes(":") ? `[${reachable.replace(/[[\]]/g, "")}]` : reachable}:${port}`;
}

function curlLine(settings: Where, chain: ChainPlan, address: string): string {
  const token = settings.apiTokens.length > 0 ? ` -H "${settings.headerName}: $CONSERVER_API_TOKEN"` : "";
  const url = `${address}${settings.rootPath}/vcon?ingress_lists=${encodeURIComponent(chain.ingressLists[0] ?? "")}`;
  return `curl -X POST "${url}"${token} -H "Content-Type: application/json" -d @config/sample.vcon.json`;
}

function results(settings: Where, plan: Plan, chain: ChainPlan, address: string): string[] {
  const folders = plan.storages.filter(({ name, plugin }) => chain.storages.includes(name) && plugin.name === "file");
  const others = chain.storages.filter((name) => folders.every((folder) => folder.name !== name));
  const lines = folders.map(({ options }) => `  file under  ${String(options["path"])}`);
  if (others.length > 0) lines.push(`  stored in   ${others.join(", ")}`);
  for (const list of chain.egressLists) lines.push(`  uuid on     ${list}`);
  lines.push(`  readable at ${address}${settings.rootPath}/vcon/<uuid>`);
  return ["", `Chain ${chain.name} processes it, and the result is`, ...lines];
}
