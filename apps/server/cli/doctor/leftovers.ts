import { silent, VconError } from "@vcon-server/core";
import { dlqOf, type Plan, type Settings } from "@vcon-server/core/config";
import { connectBackend } from "../../compose.ts";
import { type Check, warn } from "./check.ts";

/** Dead letters of the Python server that no chain of this one reads; nothing to say where there are none. */
export async function checkLeftovers(settings: Settings, plan: Plan): Promise<Check[]> {
  if (settings.redisUrl === undefined) return [];
  const lists = plan.chains.flatMap((chain) =>
    chain.ingressLists.flatMap((list) => (dlqOf(chain, list) === `DLQ:${list}` ? [] : [{ list, chain }])),
  );
  const depths = await readDepths(
    settings,
    lists.map(({ list }) => `DLQ:${list}`),
  );
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

/** An unreachable backend has been reported by its own check. */
async function readDepths(settings: Settings, lists: readonly string[]): Promise<readonly number[]> {
  if (lists.length === 0) return [];
  try {
    const backend = await connectBackend(settings, silent);
    try {
      return await backend.depths(lists);
    } finally {
      await backend.close();
    }
  } catch (error) {
    if (error instanceof VconError) return [];
    throw error;
  }
}
