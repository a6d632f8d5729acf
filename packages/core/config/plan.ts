import type { Link } from "../plugin/link.ts";
import type { Storage } from "../plugin/storage.ts";
import type { Tracer } from "../plugin/tracer.ts";

/** Versions a vCon can be written in at an exit. */
export type EgressVersion = "0.0.1" | "0.3.0" | "0.4.0";

/** Waits between tries: `initial × multiplier^n`, at most `max`, with full jitter. Milliseconds. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly multiplier: number;
}

/** A link in a chain, ready to run: plug-in loaded, options parsed. */
export interface LinkStep {
  /** Name in the configuration. */
  readonly name: string;
  readonly plugin: Link;
  readonly options: Readonly<Record<string, unknown>>;
  /** Milliseconds. */
  readonly timeout: number;
  readonly retries: RetryPolicy & {
    /** Milliseconds a run waits for a service whose limit is used up before that counts as a failure. */
    readonly quotaWait: number;
  };
  readonly onError: "dlq" | "skip";
}

export interface StoragePlan {
  readonly name: string;
  readonly plugin: Storage;
  readonly options: Readonly<Record<string, unknown>>;
  /** Milliseconds for one call. */
  readonly timeout: number;
  readonly retries: RetryPolicy;
  readonly breaker: { readonly failures: number; readonly reset: number };
  /** Whether reads fall through to it. */
  readonly read: boolean;
  /** Milliseconds after which a pending delivery becomes a dead letter. */
  readonly giveUpAfter: number;
}

export interface TracerPlan {
  readonly name: string;
  readonly plugin: Tracer;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface ChainPlan {
  readonly name: string;
  readonly enabled: boolean;
  readonly ingressLists: readonly string[];
  readonly links: readonly LinkStep[];
  readonly storages: readonly string[];
  /** Storages that must have the vCon before egress. */
  readonly required: readonly string[];
  readonly egressLists: readonly string[];
  readonly tracers: readonly string[];
  /** Milliseconds for the whole chain. */
  readonly timeout: number | undefined;
  /** vCons of this chain at a time per worker. */
  readonly concurrency: number | undefined;
  /** `{ingress_list}` stands for the list the vCon came from. */
  readonly dlqName: string;
  readonly onHalt: "expire" | "keep";
  readonly egressVersion: EgressVersion | undefined;
  readonly jsonBodies: "text" | "value";
  readonly profile: "tolerant" | "strict" | "legacy";
}

/** A configuration compiled: everything the engine and the gateway need, parsed once per version. */
export interface Plan {
  /** First 12 hex digits of SHA-256 of the file. */
  readonly version: string;
  readonly chains: readonly ChainPlan[];
  readonly storages: readonly StoragePlan[];
  readonly tracers: readonly TracerPlan[];
  /** Keys per ingress list for partners. */
  readonly ingressAuth: ReadonlyMap<string, readonly string[]>;
  /** The document as written with `${…}` resolved and secrets masked, for `GET /config` and `print`. */
  readonly shown: Readonly<Record<string, unknown>>;
}

/** Dead-letter list of a chain for vCons that came from `list`. */
export const dlqOf = (chain: Pick<ChainPlan, "dlqName">, list: string): string =>
  chain.dlqName.replaceAll("{ingress_list}", list);
