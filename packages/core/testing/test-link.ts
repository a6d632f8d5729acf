import type { Json, Vcon, VconUuid } from "@vcon-server/vcon";
import type { z } from "zod";
import type { Clock, Link, Outcome, RunFacts } from "../plugin/link.ts";
import type { Loaded, Loaders, OptionsSchema } from "../plugin/plugin.ts";
import { type Logger, silent } from "../telemetry/logger.ts";
import { instantClock, seededRandom } from "./clocks.ts";
import { noNetwork } from "./fake-fetch.ts";
import { sampleVcon } from "./samples.ts";

/** What one run of a link sees. Whatever is left out is a harmless fake. */
export interface LinkRun<L extends Loaders = Loaders> {
  /** Defaults to `sampleVcon()`. */
  readonly vcon?: Vcon;
  /** Which vCon it is; defaults to its `uuid`. */
  readonly uuid?: VconUuid;
  /** Options as they stand in the configuration; parsed by the link's schema. */
  readonly options?: unknown;
  /** Packages in place of those the link declares, such as a fake client. */
  readonly deps?: Partial<Loaded<L>>;
  /** Which try this is; defaults to 1. */
  readonly attempt?: number;
  /** How the chain writes JSON bodies; defaults to `text`. */
  readonly jsonBodies?: RunFacts["jsonBodies"];
  /** Version the chain writes at its exits. */
  readonly egressVersion?: RunFacts["egressVersion"];
  readonly signal?: AbortSignal;
  /** Defaults to one that refuses every request. */
  readonly fetch?: typeof globalThis.fetch;
  /** Defaults to one on which every sleep is over at once; a link that limits time with it needs a `manualClock`. */
  readonly clock?: Clock;
  /** Defaults to a fixed sequence. */
  readonly random?: () => number;
  readonly log?: Logger;
  /** Told what the link keeps on its way; throws to play a lost lease. */
  readonly keep?: (vcon: Vcon) => void;
  /** What a former try noted. */
  readonly memo?: Json;
  /** Told what the link notes for its retry. */
  readonly note?: (memo: Json) => void;
}

/** A link that is set up, for tests that run it several times. */
export interface OpenLink {
  run(run?: Omit<LinkRun, "options" | "deps">): Promise<Outcome>;
  close(): Promise<void>;
}

/** Runs a link once as the engine would: options parsed, `setup`, `run`, `teardown`. */
export async function testLink<S extends OptionsSchema, L extends Loaders, State>(
  link: Link<S, L, State>,
  run: LinkRun<L> = {},
): Promise<Outcome> {
  const open = await openLink(link, run);
  try {
    return await open.run(run);
  } finally {
    await open.close();
  }
}

/** Sets a link up as the engine would, to be run any number of times. */
export async function openLink<S extends OptionsSchema, L extends Loaders, State>(
  link: Link<S, L, State>,
  given: Pick<LinkRun<L>, "options" | "deps" | "log" | "fetch"> = {},
): Promise<OpenLink> {
  const context = {
    options: link.options.parse(given.options ?? {}) as Readonly<z.output<S>>,
    deps: await loaded(link.dependencies, given.deps ?? {}),
    log: given.log ?? silent,
    fetch: given.fetch ?? noNetwork,
  };
  // a link without `setup` declares its state as undefined
  const state = (await link.setup?.(context)) as State;
  return {
    async run({ vcon = sampleVcon(), ...run } = {}) {
      return link.run({
        ...context,
        vcon,
        run: {
          uuid: run.uuid ?? vcon.uuid,
          chain: "test",
          link: link.name,
          attempt: run.attempt ?? 1,
          jsonBodies: run.jsonBodies ?? "text",
          egressVersion: run.egressVersion,
        },
        signal: run.signal ?? new AbortController().signal,
        fetch: run.fetch ?? context.fetch,
        clock: run.clock ?? instantClock(),
        random: run.random ?? seededRandom(),
        log: run.log ?? context.log,
        keep: async (kept) => run.keep?.(kept),
        memo: run.memo,
        note: (memo) => run.note?.(memo),
        state,
      });
    },
    close: async () => link.teardown?.(state),
  };
}

/** The packages a plug-in declares, with those given in their place. */
export async function loaded<L extends Loaders>(loaders: L | undefined, given: Partial<Loaded<L>>): Promise<Loaded<L>> {
  const entries = Object.entries(loaders ?? {}).map(async ([name, load]) => [
    name,
    Reflect.get(given, name) ?? (await load()),
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Loaded<L>;
}
