import type { Link } from "../plugin/link.ts";
import type { Storage } from "../plugin/storage.ts";
import type { Tracer } from "../plugin/tracer.ts";

/** The plug-in of each kind. */
export interface Kinds {
  readonly link: Link;
  readonly storage: Storage;
  readonly tracer: Tracer;
}

export type PluginKind = keyof Kinds;

/** A plug-in that is loaded when first asked for. */
export interface PluginEntry<P> {
  readonly name: string;
  readonly aliases: readonly string[];
  load(): Promise<{ readonly default: P }>;
}

/** What the server ships: the generated list of plug-in folders. */
export type PluginTable = { readonly [K in PluginKind]: readonly PluginEntry<Kinds[K]>[] };

/** Where module names of the configuration lead to. */
export interface PluginRegistry {
  /** Names of the built-in plug-ins of a kind, in alphabetical order. */
  names(kind: PluginKind): readonly string[];
  /** Whether a built-in plug-in of the kind has that name or alias. */
  knows(kind: PluginKind, module: string): boolean;
  /** The built-in plug-in of that name or alias, or the installed package; `undefined` when there is neither. Throws `VCON_CONFIG_PLUGIN`. */
  load<K extends PluginKind>(kind: K, module: string): Promise<Kinds[K] | undefined>;
}
