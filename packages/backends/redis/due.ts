import type { Context } from "./context.ts";
import { dueKey, dueMember } from "./keys.ts";

/** A change to the set of due deliveries; `drop` only where the score is still this one. */
export interface DueChange {
  readonly uuid: string;
  readonly storage: string;
  readonly mode: "set" | "drop";
  readonly score: string;
}

/** The commands for these changes, one for each shard. */
export function dueCommands({ store }: Context, changes: readonly DueChange[]) {
  const shards = new Map<string, string[]>();
  for (const { uuid, storage, mode, score } of changes) {
    const key = dueKey(uuid);
    const args = shards.get(key) ?? [];
    args.push(mode, dueMember(uuid, storage), score);
    shards.set(key, args);
  }
  return [...shards].map(([key, args]) => store.call("due", [key], args));
}

export async function setDue(context: Context, changes: readonly DueChange[]): Promise<void> {
  await context.store.all("scheduling deliveries", dueCommands(context, changes));
}
