import type { Ending } from "@vcon-server/core/backend";
import { entryOf } from "./claim.ts";
import type { Outbox } from "./outbox.ts";

export type Commit = Extract<Ending, { kind: "done" | "halted" | "dead" }>;

/** Required storages of a run that its egress has to wait for. */
export const awaited = (ending: Commit): readonly string[] =>
  ending.kind === "done" && ending.egress.length > 0
    ? ending.required.filter((storage) => ending.storages.includes(storage))
    : [];

/** What an ending does in other slots. Pure. */
export function outboxOf(ending: Commit): Outbox {
  switch (ending.kind) {
    case "done": {
      const egress = awaited(ending).length > 0 ? [] : ending.egress;
      return { push: [...ending.sendTo, ...egress], storages: ending.storages };
    }
    case "halted":
      return { push: ending.sendTo, storages: [] };
    case "dead":
      return { push: [], storages: [], dead: { dlq: ending.dlq, id: entryOf(ending.lease), record: ending.record } };
  }
}

export const isEmpty = ({ push, storages, dead }: Outbox): boolean =>
  push.length === 0 && storages.length === 0 && dead === undefined;

/**
 * Lists in which the document must not expire: those workers take from. A run that no storage keeps is the only copy,
 * so there every list counts.
 */
export function referring(ending: Commit, consumed: ReadonlySet<string>): string[] {
  const { push } = outboxOf(ending);
  const onlyCopy = ending.kind === "halted" || (ending.kind === "done" && ending.storages.length === 0);
  return onlyCopy ? [...push] : push.filter((list) => consumed.has(list));
}

/** Expiry as the commit script reads it; a dead letter leaves the former wish as it is. */
export function expiryWords(ending: Commit): [string, string | number] {
  if (ending.kind === "dead") return ["", ""];
  const { expiry } = ending;
  return expiry.kind === "keep" ? ["keep", ""] : [expiry.kind, Math.max(0, Math.ceil(expiry.ms))];
}

/** Order for the storages of a run, as the commit script reads it. */
export function deliveryText(ending: Commit, consumed: ReadonlySet<string>): string {
  if (ending.kind !== "done" || ending.storages.length === 0) return "";
  const required = awaited(ending);
  const waiting = { required, push: ending.egress, count: ending.egress.filter((list) => consumed.has(list)) };
  return JSON.stringify({
    storages: ending.storages,
    lease: Math.max(1, Math.ceil(ending.deliveryLease)),
    dlq: ending.dlq,
    chain: ending.lease.chain,
    waiting: required.length > 0 ? JSON.stringify(waiting) : "",
  });
}

/** The checkpoint a dead letter keeps for its chain, as the commit script reads it. */
export function deadText(ending: Commit): string {
  if (ending.kind !== "dead") return "=";
  return ending.checkpoint ? JSON.stringify(ending.checkpoint) : "-";
}
