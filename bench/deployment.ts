import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { type RunningServer, type ServerSetup, startServer } from "../tests/stage/server.ts";

export const INGRESS = "bench_in";
export const EGRESS = "bench_out";

/** The cheap chain of performance.md: every vCon goes through all three links and out. */
export const CHEAP_CHAIN = {
  links: {
    tag: { module: "tag", options: { tags: ["bench"] } },
    route: { module: "tag_router", options: { tag_routes: { urgent: "bench_urgent" } } },
    sample: { module: "sampler", options: { method: "percentage", value: 100 } },
  },
  chains: { bench: { ingress_lists: [INGRESS], egress_lists: [EGRESS], links: ["tag", "route", "sample"] } },
};

export interface Deployment {
  readonly server: RunningServer;
  stop(): Promise<void>;
}

/**
 * The server as it is shipped, with the cheap chain or another configuration, in a folder of its own. With `BENCH_PROFILE=folder` its processes
 * leave CPU profiles there, for `node bench/profile.ts folder`.
 */
export async function deploy(
  verb: ServerSetup["verb"],
  env: Readonly<Record<string, string>>,
  config: object = CHEAP_CHAIN,
): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), "vcs-bench-"));
  const configFile = join(folder, "config.yml");
  writeFileSync(configFile, JSON.stringify(config));
  symlinkSync(join(import.meta.dirname, "plugins"), join(folder, "plugins"));
  const setup = { verb, port: await freePort(), folder, configFile };
  const profile = process.env["BENCH_PROFILE"];
  const profiling = profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` };
  const quiet = { LOG_LEVEL: "warn", CONSERVER_GRACE_SECS: "3" };
  const server = await startServer({ ...setup, env: { ...quiet, ...profiling, ...env } });
  return {
    server,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
