import { existsSync } from "node:fs";
import { type Client, ClientError } from "@vcon-server/client";
import { silent, VconError } from "@vcon-server/core";
import type { Backend, BackendHealth } from "@vcon-server/core/backend";
import type { Plan, Settings } from "@vcon-server/core/config";
import { openStorages } from "@vcon-server/core/engine";
import { withTimeout } from "@vcon-server/core/resilience";
import { connectBackend, ownBackend } from "../../compose.ts";
import { type Check, closeInTime, fail, LOADING_MS, ok, PATIENCE_MS, reasonOf, warn } from "./check.ts";

const ignore = () => undefined;

/** Whether the backend answers, and what its operator should change. */
export async function checkBackend(settings: Settings): Promise<Check[]> {
  const name = "backend";
  const embedded = settings.redisUrl === undefined;
  if (embedded && !existsSync(settings.dataDir)) return [ok(name, "embedded; created at the first start")];
  try {
    const health = await withBackend(settings, (backend) => backend.health());
    return describeHealth(health, settings);
  } catch (error) {
    if (embedded) {
      const remedy = `the files in ${settings.dataDir} are the backend: restore them from a backup, or set CONSERVER_DATA_DIR to another folder`;
      return [fail(name, reasonOf(error), remedy)];
    }
    // Redis that answers and refuses is told with the setting or right to change
    const isAway = !(error instanceof VconError) || error.code === "VCON_BACKEND_DOWN";
    const remedy = isAway
      ? "start Redis, or correct REDIS_URL (host, port, TLS, user and password)"
      : "see the message";
    return [fail(name, reasonOf(error), remedy)];
  }
}

export function describeHealth(
  { kind, version, latency, fill, warnings, dangers = [] }: BackendHealth,
  { allowEviction }: Pick<Settings, "allowEviction">,
): Check[] {
  const filled = fill === undefined ? "" : `, ${Math.round(fill * 100)} % full`;
  const answer = ok("backend", `${kind} ${version}, ${latency.toFixed(1)} ms${filled}`);
  const nearlyFull = fill !== undefined && fill > 0.9;
  const full = nearlyFull
    ? [warn("backend", `${Math.round(fill * 100)} % full`, "make room: intake is refused when it is full")]
    : [];
  const refused = allowEviction ? warn : fail;
  return [
    answer,
    ...full,
    ...dangers.map((text) => refused("backend", text, "see the message")),
    ...warnings.map((text) => warn("backend", text, "see the message")),
  ];
}

/** Uses the running server's backend, or opens the embedded one for a moment when nothing runs. */
export async function withBackend<T>(settings: Settings, use: (backend: Backend) => Promise<T>): Promise<T> {
  const closing: (() => Promise<void>)[] = [];
  let isOver = false;
  const open = async (): Promise<Backend> => {
    const backend = await connectBackend(settings, silent);
    // one that is there when it is too late is not used any more
    if (isOver) void closeInTime(() => backend.close());
    else closing.unshift(() => backend.close());
    return backend;
  };
  const connected = async () => {
    try {
      return await open();
    } catch (error) {
      if (settings.redisUrl !== undefined || !(error instanceof VconError) || error.code !== "VCON_BACKEND_DOWN")
        throw error;
      const owner = await ownBackend(settings, silent);
      if (owner !== undefined) closing.unshift(() => owner.close());
      return open();
    }
  };
  const slow = () => new VconError("VCON_BACKEND_DOWN", `the backend did not answer within ${PATIENCE_MS / 1000} s`);
  try {
    return await withTimeout({ ms: PATIENCE_MS, error: slow }, async () => use(await connected()));
  } finally {
    isOver = true;
    for (const close of closing) await closeInTime(close);
  }
}

/** Asks every configured storage whether it can be used right now. */
export async function checkStorages(plan: Plan): Promise<Check[]> {
  const storages = openStorages(
    plan.storages.map((storage) => ({ ...storage, timeout: Math.min(storage.timeout, PATIENCE_MS) })),
    silent,
  );
  try {
    // loading a package is not the service's fault: it does not count as its time
    await withTimeout({ ms: LOADING_MS, error: () => new Error("not loaded in time") }, storages.open).catch(ignore);
    return await Promise.all(
      plan.storages.map(async ({ name, plugin }) => {
        try {
          await storages.check(name);
          return ok("storage", `${name} (${plugin.name})`);
        } catch (error) {
          const remedy = "start its service, or correct its options; vCons wait as pending deliveries meanwhile";
          return fail("storage", `${name} (${plugin.name}): ${reasonOf(error)}`, remedy);
        }
      }),
    );
  } finally {
    await closeInTime(storages.close);
  }
}

/** Whether a server answers where the settings say it listens. */
export async function checkServer(client: Pick<Client, "ready">, url: string): Promise<Check> {
  try {
    const silence = () => new Error(`no answer within ${PATIENCE_MS / 1000} s at ${url}`);
    const { ready, body } = await withTimeout({ ms: PATIENCE_MS, error: silence }, () => client.ready());
    if (ready) return ok("server", `ready at ${url}`);
    return fail("server", `not ready at ${url}: ${JSON.stringify(body)}`, "the other lines say what is missing");
  } catch (error) {
    if (error instanceof ClientError && error.code === "CLIENT_UNREACHABLE") return ok("server", `none runs at ${url}`);
    return warn("server", reasonOf(error), `something else may be listening at ${url}; set another PORT`);
  }
}
