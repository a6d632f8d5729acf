import { VconError } from "@vcon-server/core";
import type { Json } from "@vcon-server/vcon";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { mediaType } from "../http/body.ts";
import { problems } from "../http/document.ts";
import { conditionOf, holds, preconditionFailed } from "../http/etag.ts";
import { bodyOf, jsonOf } from "../http/json.ts";
import { SECURED } from "../http/openapi.ts";
import { ByUuid } from "../http/parameters.ts";
import { invalid } from "../http/problem.ts";
import { type Change, changeVcon } from "../service/change.ts";
import { JsonPatch, jsonPatch } from "../service/json-patch.ts";
import { mergePatch } from "../service/merge-patch.ts";
import { notFound } from "./documents.ts";
import { answerStored, readingOf, storedAnswer, storeQuery } from "./intake.ts";
import { listsOf } from "./queues.ts";

const MERGE_PATCH = "application/merge-patch+json";
const JSON_PATCH = "application/json-patch+json";

const MergePatch = z.record(z.string(), z.unknown()).meta({ examples: [{ subject: "Call about the invoice" }] });

/** Routes that change and delete stored vCons. */
export function changeRoutes(api: Api, context: Context): void {
  patchRoute(api, context);
  deleteRoute(api, context);
}

function patchRoute(api: Api, context: Context): void {
  api.patch(
    "/vcon/:vcon_uuid",
    {
      config: { accepts: [MERGE_PATCH, JSON_PATCH] },
      schema: {
        tags: ["vCons"],
        security: SECURED,
        summary: "Change a vCon in part",
        description: `A merge patch (RFC 7396), or a JSON patch (RFC 6902) by its media type. Without \`If-Match\` the change is made to the newest revision.`,
        params: ByUuid,
        querystring: storeQuery(context.settings.sortedSetName).omit({ give_uuid: true }),
        request: {
          description: "What to change.",
          content: { [MERGE_PATCH]: MergePatch, "application/json": MergePatch, [JSON_PATCH]: JsonPatch },
        },
        answers: { 200: storedAnswer("The changed vCon."), ...problems(401, 404, 408, 409, 412, 413, 415, 422, 503) },
      },
    },
    async (request, reply) => {
      const query = { ...request.query, give_uuid: false };
      const stored = await changeVcon(context, {
        uuid: request.params.vcon_uuid,
        change: changeOf(request, context.settings.maxBodyBytes),
        profile: readingOf(context, query).profile,
        condition: conditionOf(request.headers),
        lists: query.ingress_lists,
        requeue: query.requeue,
      });
      if (!stored) throw notFound();
      return answerStored({ context, reply, query }, stored);
    },
  );
}

function changeOf(request: FastifyRequest, maxBytes: number): Change {
  if (mediaType(request) !== JSON_PATCH) {
    const patch = jsonOf(request);
    return (document) => mergePatch(document, patch);
  }
  const patch = bodyOf(request, JsonPatch);
  return (document): Json => {
    const result = jsonPatch(document, patch, maxBytes);
    if (result.ok) return result.value;
    const { at, message, reason } = result;
    if (reason === "test")
      throw new VconError("VCON_CONFLICT", `operation ${at} of the patch tests for something else: ${message}`);
    if (reason === "costly") throw new VconError("VCON_INPUT_COSTLY", `operation ${at} of the patch: ${message}`);
    throw invalid("applying the patch", [{ type: "value_error", loc: ["body", at], msg: message }]);
  };
}

function deleteRoute(api: Api, { backend, vcons, plan, emit, settings }: Context): void {
  api.delete(
    "/vcon/:vcon_uuid",
    {
      config: { refusal: "original", failure: "Failed to delete vCon" },
      schema: {
        tags: ["vCons"],
        security: SECURED,
        summary: "Delete a vCon everywhere",
        description:
          "Deletes the working copy and its index entries at once, and asks every storage to delete its copy. What a storage answered stands under `/vcon/{vcon_uuid}/deliveries`.",
        params: ByUuid,
        answers: {
          204: {
            description: "The vCon is gone from the server, whether or not there was one.",
            headers: {
              "X-Vcon-Deleting": "Storages that were asked to delete their copy.",
              Link: "Where the storages' answers are found.",
            },
          },
          ...problems(403, 412, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const uuid = request.params.vcon_uuid;
      const condition = conditionOf(request.headers);
      if (condition) {
        const current = await vcons.load(uuid);
        if (!holds(condition, current)) throw preconditionFailed(uuid, current?.rev);
      }
      const storages = plan().storages.map(({ name }) => name);
      const existed = await backend.remove(uuid, storages, listsOf(plan()));
      if (existed) emit?.("vcon.deleted", { vcon: uuid, data: { storages } });
      if (storages.length > 0) {
        void reply.header("x-vcon-deleting", storages.map(encodeURIComponent).join(", "));
        void reply.header("link", `<${settings.rootPath}/vcon/${uuid}/deliveries>; rel="monitor"`);
      }
      return reply.status(204).send();
    },
  );
}
