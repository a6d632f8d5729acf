import process from "node:process";
import type { Logger } from "@vcon-server/core";
import { type BuildInfo, type ConfigSource, openConfig, readSettings, type Settings } from "@vcon-server/core/config";
import type { SuspectsMode } from "@vcon-server/core/engine";
import { createLogger } from "@vcon-server/core/telemetry";
import { builtIns } from "../compose.ts";
import { type ChildRole, tell } from "./messages.ts";
import { createStopWish } from "./stop-signals.ts";
import type { Supervision } from "./supervision.ts";

interface Running {
  stop(grace: number): void;
  readonly ended: Promise<void>;
}

/** Beyond the grace time, what it takes to end what did not end by itself. */
const FORCE_MARGIN = 3_000;

/** Runs one role until told to end, or until the supervisor is gone. */
export async function runRole(role: ChildRole, { onLost }: Pick<Supervision, "onLost">): Promise<void> {
  const { settings, build, env } = readSettings(process.env, { cwd: process.cwd() });
  const log = createLogger({ level: settings.logLevel, name: role });
  const registry = builtIns();
  const config = await openConfig({ file: settings.configFile, env, registry, log });
  const running = await startRole(role, { settings, build, config, log });
  const stop = createStopWish((again) => running.stop(again ? 0 : settings.grace));
  process.on("SIGTERM", stop);
  // an interrupt from the terminal reaches the whole group; the supervisor passes it on in order
  process.on("SIGINT", () => undefined);
  onLost(() => {
    stop();
    // a supervisor would end by force what does not end in time
    setTimeout(() => process.exit(1), settings.grace + FORCE_MARGIN).unref();
  });
  await running.ended;
  config.close();
  process.exit(0);
}

interface RoleDeps {
  readonly settings: Settings;
  readonly build: BuildInfo;
  readonly config: ConfigSource;
  readonly log: Logger;
}

async function startRole(role: ChildRole, deps: RoleDeps): Promise<Running> {
  if (role === "api") {
    const { startApi } = await import("../api/main.ts");
    const api = await startApi(deps);
    tell({ type: "ready", address: api.address });
    return api;
  }
  const { startWorker } = await import("../worker/main.ts");
  const modes: Partial<Record<ChildRole, SuspectsMode>> = { suspects: "together", suspect: "alone" };
  return startWorker({ ...deps, suspects: modes[role] });
}
