import type { Logger } from "@vcon-server/core";
import type { BuildInfo, ConfigSource, Settings } from "@vcon-server/core/config";
import { openStorages } from "@vcon-server/core/engine";
import { openNetwork } from "@vcon-server/core/network";
import { systemClock } from "@vcon-server/core/resilience";
import { connectBackend } from "../compose.ts";
import { createGateway } from "./gateway.ts";

export interface ApiStart {
  readonly settings: Settings;
  readonly build: BuildInfo;
  readonly config: ConfigSource;
  readonly log: Logger;
}

export interface RunningApi {
  readonly address: string;
  /** Stops taking requests; those under way may finish within `grace` milliseconds. */
  stop(grace: number): void;
  readonly ended: Promise<void>;
}

/** Serves HTTP in this process until stopped. */
export async function startApi({ settings, build, config, log }: ApiStart): Promise<RunningApi> {
  const backend = await connectBackend(settings, log);
  const network = openNetwork(settings.allowedNetworks);
  let storages = openStorages(config.plan.storages, log, network);
  config.onChange((plan) => {
    const former = storages;
    storages = openStorages(plan.storages, log, network);
    void former.close();
  });
  const gateway = await createGateway({
    backend,
    plan: () => config.plan,
    config,
    settings,
    build,
    reader: { load: (uuid) => storages.load(uuid) },
    log,
    clock: systemClock,
  });
  const address = await gateway.listen({ host: settings.host, port: settings.port });
  const done = Promise.withResolvers<void>();

  async function end(): Promise<void> {
    await gateway.close();
    await storages.close();
    await network.close();
    await backend.close();
  }

  let ending = false;
  const stop = (grace: number) => {
    if (!ending)
      void end()
        .catch((error) => log.error("ending failed", { error }))
        .finally(done.resolve);
    ending = true;
    setTimeout(done.resolve, grace).unref();
  };
  return { address, stop, ended: done.promise };
}
