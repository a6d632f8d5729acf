import type { VconUuid } from "@vcon-server/vcon";
import type { VconError } from "../errors/index.ts";
import type { Document, Revision } from "./backend.ts";

export interface DeliveryTask {
  readonly uuid: VconUuid;
  readonly storage: string;
  readonly action: "save" | "delete";
  /** Failed attempts so far. */
  readonly attempt: number;
  /** When the delivery was first wanted. */
  readonly since: number;
  readonly dlq: string;
  readonly chain: string;
  /** The newest document; absent for `delete`, and for a `save` whose working copy is lost: that one is to be given up. */
  readonly document: Document | undefined;
  /** Why the working copy cannot be used, where it is there. */
  readonly fault?: VconError;
}

export interface DeliveryReport {
  readonly uuid: VconUuid;
  readonly storage: string;
  readonly action: "save" | "delete";
  /** The revision that was sent. */
  readonly rev: Revision;
  readonly result:
    | { readonly kind: "done" }
    | {
        readonly kind: "again";
        readonly delay: number;
        readonly code: string;
        readonly message: string;
        readonly counts: boolean;
      }
    | { readonly kind: "dead"; readonly dlq: string; readonly record: DeadLetterRecord };
}

/** `again`: a newer revision is wanted; send it now, the pair is still held by the caller. */
export type DeliveryOutcome = { readonly kind: "settled" } | { readonly kind: "again"; readonly document: Document };

export interface DeliveryState {
  readonly want: Revision | "delete";
  readonly done: Revision | undefined;
  readonly attempt: number;
  readonly due: number;
  readonly error: string | undefined;
}

/** Why an entry is in a dead-letter list. Never holds a secret or a stack. */
export interface DeadLetterRecord {
  readonly v: 1;
  readonly uuid: string;
  readonly chain: string;
  readonly list: string;
  readonly kind: "link" | "storage" | "load" | "poison" | "config";
  readonly link?: string;
  readonly storage?: string;
  readonly code: string;
  readonly message: string;
  readonly causes: readonly string[];
  readonly attempt: number;
  readonly deaths: number;
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
  readonly config: string;
  readonly worker: string;
  readonly retry_from?: string;
}

export interface DeadLetterQuery {
  readonly dlq: string;
  /** Only entries that came from this ingress list (entries without a record always count). */
  readonly list?: string;
  readonly offset: number;
  readonly limit: number;
}

export interface DeadLetter {
  readonly uuid: string;
  readonly record: DeadLetterRecord | undefined;
}

/** Contents of one list. */
export interface Holding {
  readonly list: string;
  /** It holds dead letters; otherwise entries for a chain. */
  readonly dead: boolean;
  readonly waiting: number;
  /** Entries that are leased, delayed or suspect. */
  readonly parked: number;
}
