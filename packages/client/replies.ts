import type { Vcon } from "@vcon-server/vcon";

/** Version a vCon is asked for in. */
export type FormatVersion = "0.0.1" | "0.3.0" | "0.4.0";

/** A stored vCon as the server sent it. */
export interface Fetched {
  /** The bytes of the answer as text; numbers no double can hold are intact here. */
  readonly text: string;
  readonly vcon: Vcon;
  /** For `ifMatch`; absent where the server gave none. */
  readonly etag: string | undefined;
  /** How many findings the server keeps beside the document; absent where it did not say. */
  readonly findings: number | undefined;
}

/** What became of one line of a bulk request. */
export interface BulkLine {
  /** Counted from 1. */
  readonly line: number;
  /** HTTP status this document would have got alone. */
  readonly status: number;
  readonly uuid?: string;
  /** `same`: this content was there before. */
  readonly outcome?: "created" | "replaced" | "same";
  readonly findings?: number;
  /** How many lists received it; a list that had the same content before gets it again only where that was asked for. */
  readonly queued?: number;
  /** Lists among those named that no enabled chain takes from. */
  readonly unconsumed?: readonly string[];
  readonly code?: string;
  readonly detail?: unknown;
  /** Only in the last line of an upload that broke off: the first line without a result. */
  readonly resume_from_line?: number;
  readonly errors?: readonly { readonly pointer?: string; readonly detail?: string }[];
}

/** How vCons are taken in. */
export interface Intake {
  /** Lists that receive them. */
  readonly lists?: readonly string[];
  /** Lets the server name those that have no usable uuid. */
  readonly giveUuid?: boolean;
  /** Queues them again where the same content is there already. */
  readonly requeue?: boolean;
}

/** Party values to search for, all of which must match. */
export interface SearchTerms {
  readonly tel?: string;
  readonly mailto?: string;
  readonly name?: string;
}

export interface Version {
  readonly version: string;
  readonly git_commit: string;
  readonly build_time: string;
}

export interface Health {
  readonly status: string;
  readonly version: Version;
}

/** Whether the server can take vCons in, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly body: unknown;
}

/** A dead letter with the record of why it is one; entries of other programs have none. */
export interface DeadLetter {
  readonly uuid: string;
  readonly record?: Readonly<Record<string, unknown>> | null;
}

/** State of the delivery of a vCon to one storage. */
export type DeliveryState = Readonly<Record<string, unknown>>;

/** What was queued for a chain. */
export interface Queued {
  readonly list: string;
  readonly queued: number;
  /** Uuids the server has no vCon for. */
  readonly unknown: readonly string[];
}
