import type { Client } from "@vcon-server/client";
import { nearest } from "@vcon-server/core/config";

/** Says for each list that no chain takes from it, and the name that was probably meant. */
export async function explainLists(client: Pick<Client, "config">, unconsumed: readonly string[]): Promise<string[]> {
  if (unconsumed.length === 0) return [];
  // the configuration serves the hint alone: what was sent is stored, whatever becomes of this
  const known = await client.config().then(readIngressLists, () => []);
  return unconsumed.map((list) => {
    const meant = nearest(list, known);
    return `no chain takes from ${list}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
  });
}

/** The lists that the enabled chains of a configuration take from. */
function readIngressLists({ chains }: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(isMap(chains) ? chains : {}).flatMap(([name, chain]) => {
    const { enabled, ingress_lists: lists } = isMap(chain) ? chain : {};
    if (enabled === false) return [];
    return Array.isArray(lists) ? lists.filter((list) => typeof list === "string") : [`${name}_ingress`];
  });
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
