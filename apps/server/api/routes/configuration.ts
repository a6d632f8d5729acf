import { VconError } from "@vcon-server/core";
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { problems } from "../http/document.ts";
import { bodyOf } from "../http/json.ts";
import { SECURED } from "../http/openapi.ts";

const common = { tags: ["Configuration"], security: SECURED };

const Configuration = z.record(z.string(), z.unknown()).meta({
  description: "The configuration document.",
  examples: [{ chains: { quickstart: { ingress_lists: ["quickstart_ingress"], links: ["tag"], storages: ["file"] } } }],
});

/** Routes that show and replace the configuration. */
export function configurationRoutes(api: Api, { plan, config }: Context): void {
  api.get(
    "/config",
    {
      config: { refusal: "original", failure: "Failed to read configuration" },
      schema: {
        ...common,
        summary: "Show the configuration",
        description: "Variables are resolved; secrets are shown as `***`.",
        answers: { 200: { description: "The configuration.", schema: Configuration }, ...problems(403, 503) },
      },
    },
    async () => plan().shown,
  );
  api.post(
    "/config",
    {
      config: { refusal: "original", failure: "Failed to update configuration" },
      schema: {
        ...common,
        summary: "Replace the configuration",
        description:
          "Checked first; with errors, or without any chain, nothing is replaced. A secret sent as `***` keeps its value, or has the one it had in an earlier version that was in force since the start.",
        request: { description: "The whole configuration.", content: { "application/json": Configuration } },
        answers: {
          204: {
            description: "The configuration is replaced.",
            headers: { "X-Config-Warnings": "How many warnings the linter gave." },
          },
          ...problems(400, 403, 408, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const findings = await config.replace(bodyOf(request, Configuration));
      const errors = findings.filter(({ severity }) => severity === "error");
      if (errors.length > 0) {
        const first = errors.map(({ path, message, remedy }) => `${path}: ${message}; ${remedy}`).join("\n");
        throw new VconError("VCON_CONFIG_INVALID", `the configuration is not replaced:\n${first}`, {
          details: { findings },
        });
      }
      return reply.status(204).header("x-config-warnings", findings.length).send();
    },
  );
}
