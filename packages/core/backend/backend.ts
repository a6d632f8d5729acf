import type { Json, VconUuid } from "@vcon-server/vcon";
import type {
  DeadLetter,
  DeadLetterQuery,
  DeadLetterRecord,
  DeliveryOutcome,
  DeliveryReport,
  DeliveryState,
  DeliveryTask,
  Holding,
} from "./deliveries.ts";

export type {
  DeadLetter,
  DeadLetterQuery,
  DeadLetterRecord,
  DeliveryOutcome,
  DeliveryReport,
  DeliveryState,
  DeliveryTask,
  Holding,
} from "./deliveries.ts";

import type { VconError } from "../errors/index.ts";

export { BatchFailure, requireAll } from "./batch-failure.ts";

/**
 * Where queues, working copies and indices live. Two implementations (redis, embedded) pass one conformance suite;
 * the engine does not know which one it has. Every method throws `VCON_BACKEND_DOWN` when the backend does not
 * answer and `VCON_BACKEND_FULL` when it refuses to grow; absence is a value, never an error. Where single items of a
 * batch fail (`VCON_BACKEND_KEY`), the others are carried out all the same and a `BatchFailure` says what became of each.
 * All times are milliseconds since 1970 on the backend's clock, all durations milliseconds.
 */
export interface Backend {
  readonly kind: "redis" | "embedded";

  // ── documents ──────────────────────────────────────────────────────────────

  /** Working copies in the order asked for; `undefined` where there is none (never stored, expired or deleted). */
  read(uuids: readonly VconUuid[]): Promise<(Document | undefined)[]>;
  /**
   * Bytes of working copies, told without reading them. `undefined` where there is none, and where only reading the
   * document would tell.
   */
  sizes(uuids: readonly VconUuid[]): Promise<(number | undefined)[]>;
  /** Last submitter of each of these, where submissions named one; known for longer than there is a working copy. */
  submitters(uuids: readonly VconUuid[]): Promise<(string | undefined)[]>;
  /** Stores, indexes and queues each submission: one atomic step, on Cluster by intent and repair. */
  submit(batch: readonly Submission[]): Promise<SubmitResult[]>;
  /** Puts back a working copy that a storage returned: only if absent, with `ttl`, indexed, revision restored. */
  restore(document: Restored): Promise<void>;
  /**
   * Deletes the working copy and its index entries and leaves a tombstone for 24 h: claims drop the uuid, commits and
   * deliveries based on older revisions are refused, and each storage gets a `delete` delivery.
   * It leaves `lists` and those it is known to wait in, dead letters with their records; an entry that stays in a very
   * long list is dropped when it is taken.
   * False when there was neither a working copy nor a delivery (the tombstone and deletes are recorded all the same).
   */
  remove(uuid: VconUuid, storages: readonly string[], lists?: readonly string[]): Promise<boolean>;
  /** Uuids by creation time, newest first. Never contains deleted or expired ones. */
  list(query: ListQuery): Promise<VconUuid[]>;
  /** Uuids that carry every one of the terms (true AND); unordered. */
  search(terms: readonly IndexTerm[]): Promise<VconUuid[]>;
  /** Rewrites the index entries of these documents; for `GET /index_vcons`. */
  reindex(entries: readonly { readonly uuid: VconUuid; readonly index: Index }[]): Promise<void>;
  /** All uuids that have a working copy, in batches, in no order. */
  scan(): AsyncIterable<VconUuid[]>;

  // ── lists ──────────────────────────────────────────────────────────────────

  /** Appends uuids in this order. Creates the list. */
  push(list: string, uuids: readonly string[]): Promise<void>;
  /**
   * Takes up to `count` entries from the head, oldest first; entries of deleted vCons are dropped. With `only` nothing
   * is taken, and `VCON_CONFLICT` thrown, where other programs share the backend and one of the entries is no uuid.
   */
  pop(list: string, count: number, only?: "uuids"): Promise<string[]>;
  /** Waiting entries per list (leased and delayed ones are not counted); 0 for unknown lists. */
  depths(lists: readonly string[]): Promise<number[]>;
  /** Entries without taking them, from the head. */
  peek(list: string, offset: number, count: number): Promise<string[]>;

  // ── runs ───────────────────────────────────────────────────────────────────

  /**
   * Leases up to `max` entries of each list to `owner` until its next missed heartbeat, and reads their documents.
   * Delayed entries that are due come first, then the head of the list. Entries of dead owners become suspects;
   * they are handed out only where `suspects` is asked for, and then nothing else is.
   * Entries of deleted vCons are dropped on the way.
   */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Resolves when one of the lists may have work, at the latest after `timeout`, at once when aborted. */
  waitForWork(lists: readonly string[], timeout: number, signal: AbortSignal): Promise<void>;
  /** Keeps all leases of `owner` on these lists alive for `LEASE_MS`. Cheap; called from a thread of its own. */
  heartbeat(owner: string, lists: readonly string[]): Promise<void>;
  /** Takes all leases of a dead owner away at once. Returns how many entries became suspects. */
  abandon(owner: string, lists: readonly string[]): Promise<number>;
  /**
   * Gives back every entry leased to `owner` on these lists except the known ones: after a claim whose answer was lost
   * in an outage, the owner lives on but does not know what it holds. They are due at once and not suspects.
   */
  giveBack(owner: string, lists: readonly string[], known: readonly Lease[]): Promise<number>;
  /** Entries waiting as suspects per list. */
  suspects(lists: readonly string[]): Promise<number[]>;
  /** Keeps the result of the links done so far, fenced by the token. */
  checkpoint(batch: readonly CheckpointWrite[]): Promise<("ok" | "lost" | "gone")[]>;
  /** Ends runs: document, deliveries, queues, indices, dead letter and lease, in the order that loses nothing. */
  settle(batch: readonly Ending[]): Promise<SettleResult[]>;

  // ── deliveries ─────────────────────────────────────────────────────────────

  /** Takes up to `max` (vCon, storage) pairs that are due; each pair is handed to one caller at a time. */
  claimDeliveries(max: number, lease: number): Promise<DeliveryTask[]>;
  /** Records what became of deliveries; completes runs, pushes their egress lists, starts expiry. */
  settleDeliveries(batch: readonly DeliveryReport[]): Promise<DeliveryOutcome[]>;
  /** State of a vCon's deliveries by storage. */
  deliveries(uuid: VconUuid): Promise<Readonly<Record<string, DeliveryState>>>;
  /** Deliveries that are not done, over all vCons, by storage. */
  backlog(): Promise<Readonly<Record<string, number>>>;

  // ── dead letters ───────────────────────────────────────────────────────────

  /** Entries oldest first; one without a record of ours is listed with code `UNKNOWN`. */
  deadLetters(query: DeadLetterQuery): Promise<DeadLetter[]>;
  /**
   * Moves up to `count` entries back, oldest first: link failures to their ingress list, storage failures to their
   * delivery. Atomic per item and resumable. `list` narrows to entries that came from it.
   */
  reprocess(dlq: string, count: number, filter: { readonly list?: string; readonly fallback: string }): Promise<number>;

  /**
   * Lists with entries that workers have taken from or dead letters were put into, except those named: what chains that
   * were renamed or removed have left behind.
   */
  holdings(except: readonly string[]): Promise<Holding[]>;

  // ── care ───────────────────────────────────────────────────────────────────

  /** Finishes or drops what a crash left half-done, prunes. Called every few seconds by whoever runs. */
  repair(): Promise<void>;
  /**
   * Facts for the start, readiness and `doctor`; throws `VCON_BACKEND_DOWN` when it does not answer or nothing can be
   * written, as on a replica.
   */
  health(): Promise<BackendHealth>;
  close(): Promise<void>;
}

/** A lease ends this long after the last heartbeat. */
export const LEASE_MS = 8_000;
export const HEARTBEAT_MS = 2_000;
export const TOMBSTONE_MS = 24 * 3600 * 1000;

/**
 * Counts stored changes of a document from 1. A document somebody else wrote has none yet and is told apart by its
 * content: `"x"` + the first 16 hex digits of SHA-256 of its bytes.
 */
export type Revision = number | `x${string}`;

export interface Document {
  readonly uuid: VconUuid;
  readonly rev: Revision;
  readonly bytes: Uint8Array;
  /** SHA-256 (hex) of the normalised submission this descends from; absent for documents somebody else wrote. */
  readonly submitted?: string;
}

export type IndexTerm = `tel:${string}` | `mailto:${string}` | `name:${string}`;

/** Where a document is found: creation time (epoch seconds) and party terms. */
export interface Index {
  readonly createdAt: number;
  readonly terms: readonly IndexTerm[];
}

/** What must hold for a submission to be stored. `match` compares revisions; `absent` = If-None-Match: *. */
export type Precondition = { readonly absent: true } | { readonly match: readonly Revision[] };

export interface Submission {
  readonly uuid: VconUuid;
  readonly bytes: Uint8Array;
  readonly index: Index;
  /**
   * SHA-256 (hex) of `bytes`. The same content again is `same`: nothing is stored, and only lists that no submission
   * of this content has named yet receive the uuid, so that repeating a request is safe.
   */
  readonly submitted: string;
  /** Lists that receive the uuid. With `requeue` all of them, also when the content is the same. */
  readonly lists: readonly string[];
  readonly requeue?: boolean;
  readonly precondition?: Precondition;
  /** Remembered with content that is new; a submission of content that is there already leaves the former one. */
  readonly submitter?: Submitter;
}

/** A party that submits vCons, so that others can be kept from writing over them. */
export interface Submitter {
  readonly id: string;
  /** Milliseconds from this submission for which it is remembered, whatever becomes of the working copy. */
  readonly kept: number;
}

export type SubmitResult =
  /** `queued`: how many lists received the uuid. */
  | { readonly kind: "created" | "replaced" | "same"; readonly rev: number; readonly queued: number }
  | { readonly kind: "refused"; readonly rev: Revision | undefined };

export interface Restored {
  readonly uuid: VconUuid;
  readonly bytes: Uint8Array;
  readonly index: Index;
  readonly ttl: number;
}

export interface ListQuery {
  /** Epoch seconds, inclusive. */
  readonly since?: number;
  readonly until?: number;
  readonly offset: number;
  readonly limit: number;
}

export interface ClaimRequest {
  readonly owner: string;
  readonly lists: readonly { readonly name: string; readonly chain: string; readonly max: number }[];
  readonly suspects: boolean;
  /** Suspects run beside each other: when their process dies, that counts against none of them. */
  readonly together?: boolean;
}

export interface ClaimResult {
  readonly runs: readonly Claim[];
  /** Suspects waiting on these lists: somebody should claim them in a process of their own. */
  readonly suspects: number;
}

/** Which lease: `token` grows with every claim of the list and fences commits. */
export interface Lease {
  readonly list: string;
  readonly chain: string;
  readonly entry: string;
  readonly token: number;
  /** The list entry as it was found; not always a uuid, since anybody may push. */
  readonly uuid: VconUuid;
}

export interface Claim extends Lease {
  /** Failed tries of the link the run resumes at. */
  readonly attempt: number;
  /** Deaths of processes while this entry ran alone. */
  readonly deaths: number;
  /** `undefined`: there is no working copy; storages may have one. */
  readonly document: Document | undefined;
  /** Facts about a working copy that should be there and is not, for its dead letter. */
  readonly lost?: string;
  /** Why what is kept of this entry cannot be used; it is a dead letter without being run. */
  readonly fault?: VconError;
  /** Where a former run of this entry, or of a dead letter of this chain, got to. */
  readonly checkpoint: Checkpoint | undefined;
}

/** The stored result of the links done so far. */
export interface Checkpoint {
  /** Version of the configuration it was made under. */
  readonly config: string;
  /** Position and name of the next link to run. */
  readonly index: number;
  readonly link: string;
  /** Failed tries of that link so far. */
  readonly attempt: number;
  /** Since when it waits for a service whose limit is used up; milliseconds since 1970. */
  readonly waitingSince?: number;
  /** What its last try noted for the next one. */
  readonly memo?: Json;
  /** Revision the run is based on; absent when the document itself holds the result. */
  readonly base?: Revision;
  /** The document so far, as JSON text; absent when the working copy holds it. */
  readonly json?: string;
  /** The document the run began with, as JSON text; given with `json`, so that a conflict can still be merged. */
  readonly baseJson?: string;
  /** Lists links asked to send to so far, and the expiry they asked for (seconds). */
  readonly sendTo: readonly string[];
  readonly expireIn?: number;
}

export interface CheckpointWrite {
  readonly lease: Lease;
  readonly checkpoint: Checkpoint;
}

/** A changed document on its way in. */
export interface Change {
  readonly base: Revision;
  readonly bytes: Uint8Array;
  readonly index: Index;
}

/** How a run ends. */
export type Ending =
  /** Chain finished: store, deliver, send, then egress when the required storages are done. */
  | {
      readonly kind: "done";
      readonly lease: Lease;
      readonly change?: Change;
      readonly sendTo: readonly string[];
      readonly storages: readonly string[];
      readonly required: readonly string[];
      readonly egress: readonly string[];
      readonly expiry: Expiry;
      /** Dead-letter list of deliveries that are given up. */
      readonly dlq: string;
      /** How long this caller may take for the first attempt at the deliveries. */
      readonly deliveryLease: number;
    }
  /** A link halted: store when changed, send; no delivery, no egress. */
  | {
      readonly kind: "halted";
      readonly lease: Lease;
      readonly change?: Change;
      readonly sendTo: readonly string[];
      readonly expiry: Expiry;
    }
  /** Give up: commit what earlier links made, keep the checkpoint, put a record into the dead-letter list. */
  | {
      readonly kind: "dead";
      readonly lease: Lease;
      readonly change?: Change;
      readonly dlq: string;
      readonly record: DeadLetterRecord;
      /** Kept as long as the dead letter, so that a retry starts at the failing link. */
      readonly checkpoint?: Checkpoint;
    }
  /** Try again after `delay`, from the checkpoint when given. */
  | {
      readonly kind: "later";
      readonly lease: Lease;
      readonly delay: number;
      readonly checkpoint?: Checkpoint;
      readonly attempt: number;
    }
  /** Give the entry back untouched, to the head of its list; for shutdown. */
  | { readonly kind: "release"; readonly lease: Lease };

/** When the working copy may go. `after` counts from the moment nothing refers to it any more. */
export type Expiry =
  | { readonly kind: "keep" }
  | { readonly kind: "after"; readonly ms: number }
  /**
   * The `expire_vcon` link: counts from the end of the run, or from the moment the last delivery of the vCon is done
   * where there is one. Waiting list entries do not hold it; runs, deliveries and dead letters do.
   */
  | { readonly kind: "now"; readonly ms: number };

export type SettleResult =
  /** `deliver`: storages the caller must try now, holding the pairs for `deliveryLease`. */
  | { readonly kind: "ok"; readonly rev: Revision | undefined; readonly deliver: readonly string[] }
  /** The document changed meanwhile: merge and settle again; the lease is still held. */
  | { readonly kind: "conflict"; readonly current: Document | undefined }
  /** The lease moved on: drop the run, somebody else has it. */
  | { readonly kind: "lost" }
  /** The vCon was deleted: the lease has been ended. */
  | { readonly kind: "gone" };

export interface BackendHealth {
  readonly kind: "redis" | "embedded";
  readonly version: string;
  /** Milliseconds of one round trip. */
  readonly latency: number;
  /** Share of the memory or disk budget in use, when there is one. */
  readonly fill: number | undefined;
  /** What an operator should change, each with its remedy. */
  readonly warnings: readonly string[];
  /** Settings that lose accepted vCons sooner or later, each with its remedy: the server does not start with it. */
  readonly dangers?: readonly string[];
}
