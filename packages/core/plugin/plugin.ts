import { z } from "zod";
import { LIST_NAME, LIST_NAME_RULE } from "../config/list-names.ts";
import type { Logger } from "../telemetry/logger.ts";

export type OptionsSchema = z.ZodObject;
export type Loaders = Readonly<Record<string, () => Promise<unknown>>>;
export type Loaded<L extends Loaders> = { readonly [P in keyof L]: Awaited<ReturnType<L[P]>> };
export type Stability = "stable" | "beta" | "deprecated";

/** What every plug-in declares, whatever its kind. */
export interface PluginSpec<S extends OptionsSchema, L extends Loaders> {
  /** Name used in the configuration file; equals the folder name. */
  readonly name: string;
  /** One sentence, shown by `vcon-server list` and at the top of the README. */
  readonly summary: string;
  /** Strict schema of the options. Defaults and descriptions live here and nowhere else. */
  readonly options: S;
  /** Names that documents and habits give to options, and what to write instead; the linter says so. */
  readonly hints?: Readonly<Record<string, string>>;
  /** Other module names that mean this plug-in, such as those of the Python original. */
  readonly aliases?: readonly string[];
  /** Defaults to `stable`. */
  readonly stability?: Stability;
  /** Packages loaded on first use, keyed by package name. */
  readonly dependencies?: L;
}

/** What every plug-in receives: nothing else of the server is within its reach. */
export interface PluginContext<S extends OptionsSchema, L extends Loaders> {
  readonly options: Readonly<z.output<S>>;
  readonly deps: Loaded<L>;
  readonly log: Logger;
  /** The only way to the network: public addresses, what the deployment allows, and `serviceUrl()` options. */
  readonly fetch: typeof globalThis.fetch;
}

/** A string that is masked wherever configuration is printed. */
export const secret = () => z.string().min(1).meta({ secret: true });

/**
 * Address of a service that whoever configures the server runs or pays for: `fetch` reaches it on private networks too.
 * Not for addresses that somebody else chooses.
 */
export const serviceUrl = () => httpUrl("use the options for them").meta({ service: true });

/**
 * Address that vCons are sent to: reached where it is public or on a network of `CONSERVER_ALLOWED_NETWORKS`.
 * `instead` says where users and passwords belong.
 */
export const receiverUrl = (instead: string) => httpUrl(instead).meta({ receiver: true });

const httpUrl = (instead: string) =>
  z
    .url({ protocol: /^https?$/, error: "must be an http or https address" })
    .refine((url) => !/^https?:\/\/[^/?#]*@/.test(url), `must not carry a user or password: ${instead}`);

/** Name of a list a link may send to. The linter checks it and follows the route. */
export const listName = () => z.string().regex(LIST_NAME, LIST_NAME_RULE).meta({ list: true });

/** Hints for options that have another name here: `namedOtherwise({ uri: "url" })`. */
export const namedOtherwise = (names: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(names).map(([there, here]) => [there, `it is called ${here}`]));
