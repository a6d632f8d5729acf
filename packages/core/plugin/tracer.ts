import type { Vcon, VconUuid } from "@vcon-server/vcon";
import type { Loaders, OptionsSchema, PluginContext, PluginSpec } from "./plugin.ts";

/** One step of a chain as a tracer sees it: `link` is undefined before the first one. */
export interface Step {
  readonly uuid: VconUuid;
  readonly chain: string;
  readonly link?: string;
  readonly index: number;
  readonly outcome: "start" | "forward" | "halt";
  readonly before: Vcon;
  readonly after: Vcon;
}

export interface TracerHandle {
  /** Throwing is logged; it fails the vCon only where the configuration says `dlq_vcon_on_error`. */
  trace(step: Step, call: { readonly signal: AbortSignal }): Promise<void>;
  close?(): Promise<void> | void;
}

/** Observes every step of a chain (audit, provenance). */
export interface Tracer<S extends OptionsSchema = OptionsSchema, L extends Loaders = Loaders> extends PluginSpec<S, L> {
  open(context: PluginContext<S, L>): TracerHandle | Promise<TracerHandle>;
}

/** Declares a tracer. */
export const defineTracer = <S extends OptionsSchema, L extends Loaders = Record<never, never>>(
  tracer: Tracer<S, L>,
): Tracer<S, L> => Object.freeze(tracer);
