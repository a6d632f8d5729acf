import type { Logger } from "@vcon-server/core";
import {
  type BuildInfo,
  findingText,
  openConfig,
  readSettings,
  requireSafeListener,
  type Settings,
} from "@vcon-server/core/config";
import { createSupervisor, type Supervisor } from "@vcon-server/core/engine";
import { systemClock } from "@vcon-server/core/resilience";
import { createLogger } from "@vcon-server/core/telemetry";
import { builtIns, connectBackend, ownBackend, requireSafeBackend } from "./compose.ts";
import { createPosts, SUSPECTS } from "./process/posts.ts";
import { createStopWish } from "./process/stop-signals.ts";

export interface ServerOptions {
  /** Which processes run under this supervisor. */
  readonly roles: readonly ("api" | "worker")[];
  /** Told once everything is ready. */
  readonly onReady?: (ready: {
    readonly settings: Settings;
    readonly build: BuildInfo;
    readonly address: string | undefined;
  }) => void;
}

const CARE_MS = 10_000;

/**
 * Runs the server until it is told to end. Resolves with the exit code: 0 after a clean end.
 * Throws a coded error when it cannot start: unusable settings, a configuration with errors, no backend.
 */
export async function runServer({ roles, onReady }: ServerOptions): Promise<number> {
  const { settings, build, env, findings } = readSettings(process.env, { cwd: process.cwd() });
  if (roles.includes("api")) requireSafeListener(settings);
  const log = createLogger({ level: settings.logLevel, name: "supervisor" });
  // lint first: a configuration with errors is reported once, here, and not by every child
  const config = await openConfig({ file: settings.configFile, env, registry: builtIns(), log });
  config.close();
  for (const { variable, message, remedy } of findings) log.warn(`${variable}: ${message}`, { remedy });
  for (const finding of config.findings) log.warn(findingText(finding), { code: finding.code });
  const { backend, close } = await openSafeBackend(settings, log);
  const wake = () => supervisor.wake(SUSPECTS);
  const { posts, lookForSuspects, address, end } = createPosts({ settings, roles, backend, log, wake });
  const supervisor: Supervisor = createSupervisor({ posts, clock: systemClock, log, grace: settings.grace });
  const ended = untilTold(supervisor);
  const care = () =>
    Promise.all([backend.repair(), lookForSuspects()]).catch((error) => log.warn("repair failed", { error }));
  const caring = setInterval(care, CARE_MS);
  try {
    await supervisor.start();
    await care();
    onReady?.({ settings, build, address: address() });
    return await ended;
  } finally {
    clearInterval(caring);
    await supervisor.stop();
    await end();
    await close();
  }
}

/** Whatever fails on the way closes what was opened before: it would keep the process alive. */
async function openSafeBackend(settings: Settings, log: Logger) {
  const owner = await ownBackend(settings, log);
  try {
    const backend = await connectBackend(settings, log);
    const close = async () => {
      await backend.close();
      await owner?.close();
    };
    try {
      await requireSafeBackend(backend, settings, log);
    } catch (error) {
      await backend.close();
      throw error;
    }
    return { backend, close };
  } catch (error) {
    await owner?.close();
    throw error;
  }
}

/** Resolves with the exit code after SIGTERM or SIGINT; a second one shortens the grace time to nothing. */
function untilTold(supervisor: Supervisor): Promise<number> {
  return new Promise((resolve) => {
    const stop = createStopWish(() => void supervisor.stop().then(() => resolve(0)));
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}
