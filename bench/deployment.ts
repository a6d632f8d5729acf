import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { type RunningServer, type ServerSetup, startServer } from "../tests/stage/server.ts";

export const INGRESS = "bench_in";
export const EGRESS = "bench_out";

/** The cheap chain of performance.md: every vCon goes through all three links and out. */
const CHEAP_CHAIN = {
  links: {
    tag: { module: "tag", options: { tags: ["bench"] } },
    route: { module: "tag_router", options: { tag_routes: { urgent: "bench_urgent" } } },
    sample: { module: "sampler", options: { method: "modulo", value: 1 } },
  },
  chains: { bench: { ingress_lists: [INGRESS], egress_lists: [EGRESS], links: ["tag", "route", "sample"] } },
};

export interface Deployment {
  readonly server: RunningServer;
  stop(): Promise<void>;
}

/** The server as it is shipped, with the cheap chain, in a folder of its own. */
export async function deploy(verb: ServerSetup["verb"], env: Readonly<Record<string, string>>): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), "vcs-bench-"));
  const configFile = join(folder, "config.yml");
  writeFileSync(configFile, JSON.stringify(CHEAP_CHAIN));
  const setup = { verb, port: await freePort(), folder, configFile };
  const server = await startServer({ ...setup, env: { LOG_LEVEL: "warn", CONSERVER_GRACE_SECS: "3", ...env } });
  return {
    server,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
