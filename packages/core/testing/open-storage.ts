import type { z } from "zod";
import type { Loaded, Loaders, OptionsSchema } from "../plugin/plugin.ts";
import type { Storage, StorageHandle } from "../plugin/storage.ts";
import { type Logger, silent } from "../telemetry/logger.ts";
import { noNetwork } from "./fake-fetch.ts";
import { loaded } from "./test-link.ts";

/** What a storage is opened with besides its options. Whatever is left out is a harmless fake. */
export interface StorageSetting<L extends Loaders = Loaders> {
  /** Packages in place of those the storage declares, such as a fake client. */
  readonly deps?: Partial<Loaded<L>>;
  /** Defaults to one that refuses every request. */
  readonly fetch?: typeof globalThis.fetch;
  readonly log?: Logger;
}

/** Uses a storage and closes it, whatever comes of it. */
export async function using<T>(
  opening: Promise<StorageHandle>,
  use: (storage: StorageHandle) => Promise<T>,
): Promise<T> {
  const storage = await opening;
  try {
    return await use(storage);
  } finally {
    await storage.close?.();
  }
}

/** Opens a storage as the engine would: options parsed, packages loaded. */
export async function openStorage<S extends OptionsSchema, L extends Loaders>(
  storage: Storage<S, L>,
  options: unknown = {},
  setting: StorageSetting<L> = {},
): Promise<StorageHandle> {
  return storage.open({
    options: storage.options.parse(options) as Readonly<z.output<S>>,
    deps: await loaded(storage.dependencies, setting.deps ?? {}),
    log: setting.log ?? silent,
    fetch: setting.fetch ?? noNetwork,
  });
}
