import { type JsonCall, jsonBody, vconPath } from "./bodies.ts";
import type { Client } from "./client.ts";
import { ClientError } from "./client-error.ts";
import type { Transport } from "./transport.ts";

type AdminCalls = "findings" | "deliveries" | "config" | "replaceConfig" | "version" | "health" | "ready";

/** Calls about the server, its configuration, and what it keeps beside a vCon. */
export function adminCalls(send: Transport, json: JsonCall): Pick<Client, AdminCalls> {
  return {
    findings: (uuid) => json({ doing: `reading the findings of ${uuid}`, path: `${vconPath(uuid)}/findings` }),
    deliveries: (uuid) => json({ doing: `reading the deliveries of ${uuid}`, path: `${vconPath(uuid)}/deliveries` }),
    config: () => json({ doing: "reading the configuration", path: "/config" }),
    replaceConfig: async (value) => {
      await send({ doing: "replacing the configuration", method: "POST", path: "/config", ...jsonBody(value) });
    },
    version: () => json({ doing: "asking for the version", path: "/version" }),
    health: () => json({ doing: "asking for health", path: "/health" }),
    ready: async () => {
      try {
        return { ready: true, body: await json<unknown>({ doing: "asking for readiness", path: "/health/ready" }) };
      } catch (error) {
        if (error instanceof ClientError && error.status === 503) return { ready: false, body: error.problem };
        throw error;
      }
    },
  };
}
