import { type Logger, VconError } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import { createRegistry, type PluginRegistry, type Settings } from "@vcon-server/core/config";
import { plugins } from "./plugins.gen.ts";

/** Everything that knows all parts of the server at once stands in this file. */

export const builtIns = (): PluginRegistry => createRegistry(plugins);

/** The backend the settings name: Redis where `REDIS_URL` is set, else the embedded one of the data directory. */
export async function connectBackend(settings: Settings, log: Logger): Promise<Backend> {
  if (settings.redisUrl === undefined) {
    const { connectEmbedded } = await import("@vcon-server/backends/embedded");
    return connectEmbedded({ dataDir: settings.dataDir });
  }
  const { openRedisBackend } = await import("@vcon-server/backends/redis");
  return openRedisBackend({
    url: settings.redisUrl,
    sortedSetName: settings.sortedSetName,
    indexExpiry: settings.indexExpiry,
    redisAck: settings.redisAck,
    log,
  });
}

/** Warns about what is weak, and refuses what loses accepted vCons: `VCON_BACKEND_UNFIT`. */
export async function requireSafeBackend(
  backend: Pick<Backend, "health">,
  { allowEviction }: Pick<Settings, "allowEviction">,
  log: Logger,
): Promise<void> {
  const { warnings, dangers = [] } = await backend.health();
  for (const warning of [...warnings, ...(allowEviction ? dangers : [])]) log.warn(warning);
  if (dangers.length > 0 && !allowEviction) throw new VconError("VCON_BACKEND_UNFIT", dangers.join("; "));
}

/** The owner of the embedded database, for the one process that keeps it; nothing to own where Redis is used. */
export async function ownBackend(settings: Settings, log: Logger): Promise<{ close(): Promise<void> } | undefined> {
  if (settings.redisUrl !== undefined) return undefined;
  const { startEmbeddedOwner } = await import("@vcon-server/backends/embedded");
  return startEmbeddedOwner({ dataDir: settings.dataDir, synchronous: settings.sqliteSynchronous, log });
}
