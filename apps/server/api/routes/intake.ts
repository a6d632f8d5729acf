import { VconSchema } from "@vcon-server/vcon";
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { problems, type RequestBody } from "../http/document.ts";
import { conditionOf, etagOf } from "../http/etag.ts";
import { bufferOf, exitOf } from "../http/exit.ts";
import { bytesOf } from "../http/json.ts";
import { readKey } from "../http/key.ts";
import { SECURED } from "../http/openapi.ts";
import { ByUuid, ExitQuery, flag, IntakeQuery, listName, repeated } from "../http/parameters.ts";
import { type IntakeOptions, profileFor, takeIn, takeInAs } from "../service/intake.ts";
import { identifyPartner, storeForPartner } from "../service/partner.ts";
import type { Stored } from "../service/store.ts";
import { tellUnconsumed, UNCONSUMED } from "../service/unconsumed.ts";

/** A vCon in a request body. */
export const vconBody: RequestBody = {
  description: "A vCon in any version; gzip is taken, too.",
  content: { "application/json": VconSchema, "application/vcon+json": VconSchema },
};

/** Query of the routes that store a vCon and may queue it. */
export const storeQuery = (sortedSet: string) =>
  IntakeQuery.extend(ExitQuery.shape).extend({
    ingress_lists: repeated(listName(sortedSet), 100)
      .default([])
      .meta({ description: "List that receives the vCon; may be repeated, or several joined by commas." }),
    requeue: flag("Whether the vCon is queued again although its content is the same as before."),
  });

export type StoreQuery = z.output<ReturnType<typeof storeQuery>>;

/** How a request wants its vCon read. */
export function readingOf(
  { plan, newUuid }: Context,
  { profile, give_uuid, ingress_lists }: StoreQuery,
): IntakeOptions {
  return { profile: profile ?? profileFor(plan(), ingress_lists), ...(give_uuid && { giveUuid: newUuid }) };
}

/** Answers with the vCon as it was taken in. */
export async function answerStored(
  { context, reply, query }: { readonly context: Context; readonly reply: FastifyReply; readonly query: StoreQuery },
  stored: Stored,
): Promise<FastifyReply> {
  const version = query.egress_format_version ?? context.settings.egressVersion;
  const { bytes } = exitOf(stored, version);
  if (await isCurrent(context, stored)) void reply.header("etag", etagOf(stored.rev, version));
  tellUnconsumed(reply, context.plan(), query.ingress_lists);
  return reply
    .header("x-vcon-findings", stored.findings.length)
    .header("x-vcon-queued", stored.queued)
    .type("application/json")
    .send(bufferOf(bytes));
}

/** Whether the revision has these bytes: links may have worked on a vCon that is sent a second time. */
async function isCurrent({ backend }: Context, { outcome, uuid, bytes, rev }: Stored): Promise<boolean> {
  if (outcome !== "same") return true;
  const [current] = await backend.read([uuid]);
  return current?.rev === rev && Buffer.compare(current.bytes, bytes) === 0;
}

const STORED_HEADERS = {
  ETag: "Revision of the vCon.",
  "X-Vcon-Findings": "How many findings there are; see `/vcon/{vcon_uuid}/findings`.",
  "X-Vcon-Queued": "How many lists received the vCon; lists that had the same content before do not get it again.",
  "X-Vcon-Unconsumed": UNCONSUMED,
};

export const storedAnswer = (description: string) => ({ description, schema: VconSchema, headers: STORED_HEADERS });

/** Routes that take vCons in, one at a time. */
export function intakeRoutes(api: Api, context: Context): void {
  createRoute(api, context);
  replaceRoute(api, context);
  partnerRoute(api, context);
}

function createRoute(api: Api, context: Context): void {
  api.post(
    "/vcon",
    {
      config: { refusal: "original", failure: "Failed to store vCon" },
      schema: {
        tags: ["vCons"],
        security: SECURED,
        summary: "Store a vCon and queue it",
        description:
          "The same content again gives the same answer and is queued once; other content under the same uuid is a new revision. `If-None-Match: *` and `If-Match` refuse that.",
        querystring: storeQuery(context.settings.sortedSetName),
        request: vconBody,
        answers: { 201: storedAnswer("The vCon as it was stored."), ...problems(403, 408, 412, 413, 415, 422, 503) },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const stored = await context.store.add(bytesOf(request), readingOf(context, query), {
        lists: query.ingress_lists,
        requeue: query.requeue,
        condition: conditionOf(request.headers),
      });
      void reply.status(201).header("location", `${context.settings.rootPath}/vcon/${stored.uuid}`);
      return answerStored({ context, reply, query }, stored);
    },
  );
}

function replaceRoute(api: Api, context: Context): void {
  api.put(
    "/vcon/:vcon_uuid",
    {
      schema: {
        tags: ["vCons"],
        security: SECURED,
        summary: "Create or replace a vCon",
        description: "`If-Match` replaces only the revision it names, `If-None-Match: *` only creates.",
        params: ByUuid,
        querystring: storeQuery(context.settings.sortedSetName).omit({ give_uuid: true }),
        request: vconBody,
        answers: {
          200: storedAnswer("The vCon was there and is replaced."),
          201: storedAnswer("The vCon is new."),
          ...problems(401, 408, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const uuid = request.params.vcon_uuid;
      const query = { ...request.query, give_uuid: false };
      // a body without a uuid is about the vCon of the path
      const accepted = takeInAs(uuid, bytesOf(request), readingOf(context, query));
      const stored = await context.store.put(accepted, {
        lists: query.ingress_lists,
        requeue: query.requeue,
        condition: conditionOf(request.headers),
        exact: true,
      });
      void reply.status(stored.outcome === "created" ? 201 : 200);
      return answerStored({ context, reply, query }, stored);
    },
  );
}

function partnerRoute(api: Api, context: Context): void {
  const { plan, settings, newUuid } = context;
  api.post(
    "/vcon/external-ingress",
    {
      config: { access: "partner", refusal: "original", failure: "Failed to store vCon" },
      schema: {
        tags: ["vCons"],
        security: SECURED,
        summary: "Take a vCon from a partner",
        description:
          "For holders of a key of the list (`ingress_auth`). Content that is stored already is queued, once a list; repeating a request has no effect. Other content replaces what came with the same key before, and is refused with 409 if the vCon came from another submitter.",
        querystring: IntakeQuery.extend({ ingress_list: listName(settings.sortedSetName) }),
        request: vconBody,
        answers: {
          204: {
            description: "The vCon is stored and queued.",
            headers: {
              "X-Vcon-Findings": STORED_HEADERS["X-Vcon-Findings"],
              "X-Vcon-Queued": "1, or 0 when the list had the same content before.",
            },
          },
          ...problems(403, 408, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { ingress_list, profile, give_uuid } = request.query;
      const reading = {
        profile: profile ?? profileFor(plan(), [ingress_list]),
        ...(give_uuid && { giveUuid: newUuid }),
      };
      const accepted = takeIn(bytesOf(request), reading);
      const id = identifyPartner(readKey(request, settings.headerName) ?? "");
      const queued = await storeForPartner(context, accepted, {
        list: ingress_list,
        submitter: { id, kept: settings.submitterExpiry },
      });
      return reply
        .status(204)
        .header("x-vcon-findings", accepted.findings.length)
        .header("x-vcon-queued", queued)
        .send();
    },
  );
}
