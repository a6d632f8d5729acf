import type { Vcon, VconUuid } from "@vcon-server/vcon";
import type { Loaders, OptionsSchema, PluginContext, PluginSpec } from "./plugin.ts";

/** A vCon on its way to storages: serialised once, the same bytes for all of them. */
export interface StoredVcon {
  readonly uuid: VconUuid;
  /** Revision, counted up by the server; a storage never sees an older one after a newer one. */
  readonly rev: number;
  /** UTF-8 JSON in the version that this exit writes. */
  readonly bytes: Uint8Array;
  /** The parsed document, made when first asked for. */
  readonly vcon: Vcon;
}

export interface Call {
  /** Aborts when the time for this call is over. */
  readonly signal: AbortSignal;
}

/** An open storage. Throws a coded error for every failure: an outage never looks like absence. */
export interface StorageHandle {
  /** Resolves when the vCon is safely there. Saving the same again is harmless. */
  save(doc: StoredVcon, call: Call): Promise<void>;
  /**
   * All or nothing per call: when it throws something retryable, all of them are sent again later; anything else, and
   * they are saved one by one, so that one document at fault does not hold up the rest.
   */
  saveMany?(docs: readonly StoredVcon[], call: Call): Promise<void>;
  /** `undefined` means "not here"; anything else that goes wrong throws. Absent on write-only storages. */
  load?(uuid: VconUuid, call: Call): Promise<Vcon | undefined>;
  /** Deleting what is not there succeeds. Absent where the storage cannot delete. */
  delete?(uuid: VconUuid, call: Call): Promise<void>;
  /** Throws when the storage cannot be used right now; used by `doctor` and readiness. */
  check?(call: Call): Promise<void>;
  close?(): Promise<void> | void;
}

/** A place vCons are kept for good. */
export interface Storage<S extends OptionsSchema = OptionsSchema, L extends Loaders = Loaders>
  extends PluginSpec<S, L> {
  /** Opens without waiting for the service: one that is down at start is retried like any other outage. */
  open(context: PluginContext<S, L>): StorageHandle | Promise<StorageHandle>;
}

/** Declares a storage. */
export const defineStorage = <S extends OptionsSchema, L extends Loaders = Record<never, never>>(
  storage: Storage<S, L>,
): Storage<S, L> => Object.freeze(storage);
