import { existsSync } from "node:fs";
import { VconError } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import { dlqOf, type Plan, type Settings } from "@vcon-server/core/config";
import { findStranded, type Stranded } from "@vcon-server/core/engine";
import { type Check, warn } from "./check.ts";
import { withBackend } from "./services.ts";

/** Dead letters of the Python server that no chain of this one reads; nothing to say where there are none. */
export async function checkLeftovers(settings: Settings, plan: Plan): Promise<Check[]> {
  if (settings.redisUrl === undefined) return [];
  const lists = plan.chains.flatMap((chain) =>
    chain.ingressLists.flatMap((list) => (dlqOf(chain, list) === `DLQ:${list}` ? [] : [{ list, chain }])),
  );
  if (lists.length === 0) return [];
  const names = lists.map(({ list }) => `DLQ:${list}`);
  const depths = (await askBackend(settings, (backend) => backend.depths(names))) ?? [];
  return lists.flatMap(({ list, chain }, at) => {
    const count = depths[at] ?? 0;
    if (count === 0) return [];
    const message = `${count} ${count === 1 ? "vCon that failed waits" : "vCons that failed wait"} on DLQ:${list}, where the Python server put them; no chain reads that list`;
    const remedy =
      `set \`dlq_name: "DLQ:{ingress_list}"\` in the chain ${chain.name}, then POST /dlq/reprocess?ingress_list=${list}; ` +
      "docs/from-python.md, Moving over";
    return [warn("dead letters", message, remedy)];
  });
}

/** Asks the backend for a limited time; one that cannot be reached has been reported by its own check. */
async function askBackend<T>(settings: Settings, ask: (backend: Backend) => Promise<T>): Promise<T | undefined> {
  try {
    return await withBackend(settings, ask);
  } catch (error) {
    if (error instanceof VconError) return undefined;
    throw error;
  }
}

/** Entries, dead letters and deliveries of chains and storages that the configuration does not name any more. */
export async function checkStranded(settings: Settings, plan: Plan): Promise<Check[]> {
  const found = await readStranded(settings, plan);
  if (found === undefined) return [];
  const move = (name: string) =>
    `POST /stranded/move?list=${name}&to=<an ingress list of another chain>, or bring the chain back under its name`;
  return [
    ...found.lists.map(({ name, waiting, parked }) =>
      warn("stranded", `${waiting + parked} entries wait on ${name}, from which no chain takes`, move(name)),
    ),
    ...found.deadLetters.map(({ name, waiting }) =>
      warn("stranded", `${waiting} dead letters are on ${name}, which belongs to no chain`, move(name)),
    ),
    ...found.storages.map(({ name, deliveries }) =>
      warn(
        "stranded",
        `${deliveries} deliveries wait for the storage ${name}, which is not in the configuration`,
        "bring the storage back under its name, or delete those vCons",
      ),
    ),
  ];
}

async function readStranded(settings: Settings, plan: Plan): Promise<Stranded | undefined> {
  if (settings.redisUrl === undefined && !existsSync(settings.dataDir)) return undefined;
  return askBackend(settings, (backend) => findStranded(backend, plan));
}
