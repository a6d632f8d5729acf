import type { Plan } from "@vcon-server/core/config";
import type { FastifyReply } from "fastify";

/** Description of the header of `tellUnconsumed`. */
export const UNCONSUMED =
  "Lists among those named that no enabled chain takes from, joined by commas; left out where there is none. They keep what they get: another program may take it, or the name is mistyped.";

/** Finds the lists that no enabled chain takes from. */
export function findUnconsumed({ chains }: Pick<Plan, "chains">, lists: readonly string[]): string[] {
  const taken = new Set(chains.filter(({ enabled }) => enabled).flatMap(({ ingressLists }) => ingressLists));
  return [...new Set(lists)].filter((list) => !taken.has(list));
}

/** Says which of the lists no enabled chain takes from. It is no error: other programs take from lists, too. */
export function tellUnconsumed(reply: FastifyReply, plan: Pick<Plan, "chains">, lists: readonly string[]): void {
  const names = findUnconsumed(plan, lists);
  if (names.length > 0) void reply.header("x-vcon-unconsumed", names.join(", "));
}
