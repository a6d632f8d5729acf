import type { Link } from "../plugin/link.ts";
import type { Storage } from "../plugin/storage.ts";
import type { Tracer } from "../plugin/tracer.ts";
import type { Path } from "./findings.ts";
import type { ChainEntry, LinkEntry, StorageEntry, TestEntry, TracerEntry } from "./schema.ts";

export type Options = Readonly<Record<string, unknown>>;

/** A named entry of a section as far as it was understood. */
export interface Named<E> {
  readonly name: string;
  readonly path: Path;
  readonly entry: E | undefined;
  readonly broken: ReadonlySet<string>;
}

/** An entry that names a module, with the plug-in behind it. */
export interface WithPlugin<E, P> extends Named<E> {
  readonly plugin: P | undefined;
  /** Options as written, references resolved. */
  readonly written: unknown;
}

export interface Ready<E, P> extends WithPlugin<E, P> {
  /** Options as the plug-in's schema gives them. */
  readonly options: Options | undefined;
}

/** A link at its place in a chain. */
export interface Step {
  /** Where the chain names it. */
  readonly path: Path;
  readonly name: string;
  readonly plugin: Link | undefined;
  readonly entry: LinkEntry | undefined;
  readonly options: Options | undefined;
  /** The place of a path below the options. */
  readonly place: (path: readonly (string | number)[]) => Path;
}

export interface ChainDraft extends Named<ChainEntry> {
  readonly enabled: boolean;
  readonly ingressLists: readonly string[];
  readonly dlqName: string;
  readonly steps: readonly Step[];
}

/** A configuration as far as it was understood; what the checks look at. */
export interface Draft {
  readonly links: ReadonlyMap<string, WithPlugin<LinkEntry, Link>>;
  readonly storages: ReadonlyMap<string, Ready<StorageEntry, Storage>>;
  readonly tracers: ReadonlyMap<string, Ready<TracerEntry, Tracer>>;
  readonly chains: readonly ChainDraft[];
  readonly ingressAuth: ReadonlyMap<string, readonly string[]>;
  readonly tests: readonly Named<TestEntry>[];
  /** Key of the set of all vCons, which no list may be called. */
  readonly sortedSet: string;
}
