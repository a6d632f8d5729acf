import type { Json, Vcon, VconUuid } from "@vcon-server/vcon";
import type { Loaders, OptionsSchema, PluginContext, PluginSpec } from "./plugin.ts";

/** What a link asks the engine to do besides storing the vCon. */
export interface Effects {
  /** Lists that receive the uuid once the vCon is stored. */
  readonly sendTo?: readonly string[];
  /** Seconds after which the working copy may be dropped, whatever the storages say. */
  readonly expireIn?: number;
}

/** Facts and effects that accompany a forwarded vCon. */
export interface ForwardFacts extends Effects {
  /** Why the link left the vCon as it came, for the people who look for its result in vain: `not in English`. */
  readonly unchanged?: string;
}

export type Outcome =
  | ({ readonly kind: "forward"; readonly vcon: Vcon } & ForwardFacts)
  | ({ readonly kind: "halt"; readonly reason: string; readonly vcon?: Vcon } & Effects);

/** Continue the chain with this vCon. The engine stores it when it changed. */
export const forward = (vcon: Vcon, facts: ForwardFacts = {}): Outcome => ({ kind: "forward", vcon, ...facts });

/** Stop the chain for this vCon, keeping `vcon` when given. Not a failure: nothing is retried or dead-lettered. */
export const halt = (reason: string, rest: Effects & { readonly vcon?: Vcon } = {}): Outcome => ({
  kind: "halt",
  reason,
  ...rest,
});

/** Time as a link sees it, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What a link may know about the run it is part of. */
export interface RunFacts {
  /** Which vCon it is; a signed one has no `uuid` member of its own. */
  readonly uuid: VconUuid;
  readonly chain: string;
  /** Name of the step in the configuration. */
  readonly link: string;
  /** Which try of this step this is; 1 = first. */
  readonly attempt: number;
  /** How JSON bodies are written: as text, like the original and its ecosystem, or as values. */
  readonly jsonBodies: "text" | "value";
  /** Version in which vCons leave the server here; as they are stored when undefined. */
  readonly egressVersion: "0.0.1" | "0.3.0" | "0.4.0" | undefined;
}

export interface LinkContext<S extends OptionsSchema, L extends Loaders, State = unknown> extends PluginContext<S, L> {
  readonly vcon: Vcon;
  readonly run: RunFacts;
  /** Aborts when the worker shuts down for good or the link runs out of time. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /**
   * Keeps what the link has made so far: whoever tries again, here or elsewhere, begins with this vCon. Worth it between
   * calls that cost money or time; what a link returns is kept anyway. Rejects when the run is no longer this worker's.
   */
  readonly keep: (vcon: Vcon) => Promise<void>;
  /** What a failed try of this step noted. The configuration may have changed since: parse it. */
  readonly memo: Json | undefined;
  /**
   * Leaves a few hundred bytes for the retry, here or elsewhere, without a trace in the vCon: who has been told already.
   * The last note counts. It costs nothing and is stored when the try fails; a crash loses it.
   */
  readonly note: (memo: Json) => void;
  /** What `setup` returned. */
  readonly state: State;
}

/** A processing step. `run` throws a coded error when it fails; the engine retries, then dead-letters. */
export interface Link<S extends OptionsSchema = OptionsSchema, L extends Loaders = Loaders, State = unknown>
  extends PluginSpec<S, L> {
  /** True when a run touches the outside world: its result is checkpointed, so that a crash does not repeat it. */
  readonly effect?: boolean;
  /** Prepares what all runs of one configured step share (a compiled filter, a thread). Called once per process. */
  setup?(context: PluginContext<S, L>): State | Promise<State>;
  run(context: LinkContext<S, L, State>): Outcome | Promise<Outcome>;
  /** Ends what `setup` began. */
  teardown?(state: State): void | Promise<void>;
}

/** Declares a link. Options, packages and state are inferred from the declaration. */
export const defineLink = <S extends OptionsSchema, L extends Loaders = Record<never, never>, State = undefined>(
  link: Link<S, L, State>,
): Link<S, L, State> => Object.freeze(link);
