import type { Logger } from "@vcon-server/core";
import type { Store } from "./store.ts";

/** What every operation of this backend works with. */
export interface Context {
  readonly store: Store;
  readonly log: Logger;
  /** Key of the sorted set of all vCons. */
  readonly sortedSet: string;
  /** Milliseconds after which an index set that nobody writes goes; off unless set. */
  readonly indexExpiry: number | undefined;
  /** Whether intake is acknowledged only after a replica has it. */
  readonly waitForReplica: boolean;
  /** Milliseconds a lease lasts without a heartbeat. */
  readonly leaseMs: number;
  /** Milliseconds without an answer after which Redis counts as away. */
  readonly timeout: number;
}

/** `items` in pieces of at most `size`. */
export const pieces = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
