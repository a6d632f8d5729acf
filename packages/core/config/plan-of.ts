import { createHash } from "node:crypto";
import type { Storage } from "../plugin/storage.ts";
import type { Tracer } from "../plugin/tracer.ts";
import type { ChainDraft, Draft, Ready, Step } from "./draft.ts";
import type { ChainPlan, LinkStep, Plan, RetryPolicy, StoragePlan, TracerPlan } from "./plan.ts";
import type { RetriesEntry, StorageEntry, TracerEntry } from "./schema.ts";

const LINK_TIMEOUT = 300;
const STORAGE_TIMEOUT = 30;
const RETRIES = { attempts: 4, initial: 1, max: 30, multiplier: 2 };
/** A rate limit is over within minutes; a budget that is used up may be topped up within the hour. */
const QUOTA_WAIT = 3_600;
const BREAKER = { failures: 5, reset: 10 };
/** A week: as long as the Python server kept dead letters. */
const GIVE_UP_AFTER = 7 * 86_400;

/** The plan of a configuration without errors. */
export function planOf(draft: Draft, text: string, shown: Plan["shown"]): Plan {
  return {
    version: versionOf(text),
    chains: draft.chains.map((chain) => chainPlan(chain, draft)),
    storages: [...draft.storages.values()].flatMap(storagePlan),
    tracers: [...draft.tracers.values()].flatMap(tracerPlan),
    ingressAuth: draft.ingressAuth,
    shown: frozen(shown),
  };
}

/** First 12 hex digits of SHA-256 of a configuration. */
export const versionOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** All runs of a process share a plan: what one of them changed would reach the others. */
function frozen<T>(value: T): T {
  const plain =
    Array.isArray(value) ||
    (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype);
  if (!plain || Object.isFrozen(value)) return value;
  for (const item of Object.values(value as object)) frozen(item);
  return Object.freeze(value);
}

const ms = (seconds: number): number => Math.round(seconds * 1000);

function retryPolicy(retries: Partial<RetriesEntry> | null | undefined): RetryPolicy {
  const initial = retries?.initial_delay_secs ?? RETRIES.initial;
  return {
    maxAttempts: retries?.max_attempts ?? RETRIES.attempts,
    initialDelay: ms(initial),
    maxDelay: ms(retries?.max_delay_secs ?? Math.max(RETRIES.max, initial)),
    multiplier: retries?.multiplier ?? RETRIES.multiplier,
  };
}

function linkStep({ name, plugin, entry, options }: Step): readonly LinkStep[] {
  if (!plugin || !options) return [];
  const timeout = ms(entry?.timeout ?? LINK_TIMEOUT);
  return [
    {
      name,
      plugin,
      options: frozen(options),
      timeout,
      retries: { ...retryPolicy(entry?.retries), quotaWait: ms(entry?.retries?.quota_wait_secs ?? QUOTA_WAIT) },
      onError: entry?.on_error ?? "dlq",
    },
  ];
}

function chainPlan(chain: ChainDraft, draft: Draft): ChainPlan {
  const { name, enabled, entry, ingressLists, dlqName } = chain;
  const storages = entry?.storages ?? [];
  return {
    name,
    enabled,
    ingressLists,
    links: chain.steps.flatMap(linkStep),
    storages,
    required: entry?.required_storages ?? storages,
    egressLists: entry?.egress_lists ?? [],
    tracers: entry?.tracers ?? [...draft.tracers.keys()],
    timeout: entry?.timeout ? ms(entry.timeout) : undefined,
    concurrency: entry?.concurrency ?? undefined,
    dlqName,
    onHalt: entry?.on_halt ?? "expire",
    egressVersion: entry?.egress_format_version ?? undefined,
    jsonBodies: entry?.json_bodies ?? "text",
    profile: entry?.profile ?? "tolerant",
  };
}

function storagePlan({ name, plugin, entry, options }: Ready<StorageEntry, Storage>): readonly StoragePlan[] {
  if (!plugin || !options) return [];
  return [
    {
      name,
      plugin,
      options: frozen(options),
      timeout: ms(entry?.timeout ?? STORAGE_TIMEOUT),
      // deliveries are retried until `giveUpAfter`, however many attempts that takes
      retries: { ...retryPolicy(entry?.retries), maxAttempts: Number.POSITIVE_INFINITY },
      breaker: {
        failures: entry?.breaker?.failures ?? BREAKER.failures,
        reset: ms(entry?.breaker?.reset_secs ?? BREAKER.reset),
      },
      read: entry?.read ?? true,
      giveUpAfter: ms(entry?.give_up_after_secs ?? GIVE_UP_AFTER),
    },
  ];
}

function tracerPlan({ name, plugin, options }: Ready<TracerEntry, Tracer>): readonly TracerPlan[] {
  return plugin && options ? [{ name, plugin, options: frozen(options) }] : [];
}
