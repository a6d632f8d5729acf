import { VconError } from "@vcon-server/core";
import { type ChainPlan, dlqOf, type Plan } from "@vcon-server/core/config";
import { VconSchema } from "@vcon-server/vcon";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { problems } from "../http/document.ts";
import { conditionOf } from "../http/etag.ts";
import { bodyOf, bytesOf } from "../http/json.ts";
import { SECURED } from "../http/openapi.ts";
import { integer, listName } from "../http/parameters.ts";
import { UuidList, Uuids } from "../http/schemas.ts";
import { existing } from "../service/read-each.ts";
import { tellUnconsumed, UNCONSUMED } from "../service/unconsumed.ts";
import { answerStored, readingOf, storedAnswer, storeQuery } from "./intake.ts";

const common = { tags: ["Queues"], security: SECURED };

/** Entries that one request may take. */
const limit = integer({ min: 1, most: 10_000, default: 1 }).meta({
  description: "How many entries to take at most; more than 10,000 count as 10,000.",
});

const count = z
  .number()
  .int()
  .meta({ examples: [3] });

/** Routes that put vCons on lists and take them off. */
export function queueRoutes(api: Api, context: Context): void {
  ingressRoute(api, context);
  egressRoute(api, context);
  countRoute(api, context);
  chainIngressRoute(api, context);
  chainEgressRoute(api, context);
}

function ingressRoute(api: Api, { backend, vcons, settings, plan }: Context): void {
  api.post(
    "/vcon/ingress",
    {
      config: { refusal: "original", failure: "Failed to add to ingress list" },
      schema: {
        ...common,
        summary: "Queue stored vCons",
        description: "UUIDs nobody knows are skipped; `X-Vcon-Queued` says how many were queued.",
        querystring: z.object({ ingress_list: listName(settings.sortedSetName) }),
        request: { description: "UUIDs of stored vCons.", content: { "application/json": UuidList } },
        answers: {
          204: {
            description: "The known ones are queued, in this order.",
            headers: { "X-Vcon-Queued": "How many were queued.", "X-Vcon-Unconsumed": UNCONSUMED },
          },
          ...problems(403, 408, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { found } = await existing(vcons, bodyOf(request, UuidList));
      if (found.length > 0) await backend.push(request.query.ingress_list, found);
      tellUnconsumed(reply, plan(), [request.query.ingress_list]);
      return reply.status(204).header("x-vcon-queued", found.length).send();
    },
  );
}

/** Every list the configuration names. */
export const listsOf = ({ chains }: Plan): string[] =>
  chains.flatMap((chain) => [
    ...chain.ingressLists,
    ...chain.egressLists,
    ...chain.ingressLists.map((list) => dlqOf(chain, list)),
  ]);

function egressRoute(api: Api, { backend, settings, plan }: Context): void {
  api.get(
    "/vcon/egress",
    {
      // taking entries is no safe method, so HEAD must not do it
      exposeHeadRoute: false,
      config: { changes: true, refusal: "original", failure: "Failed to pop from egress list" },
      schema: {
        ...common,
        summary: "Take finished vCons from an egress list",
        description:
          "Takes the entries off the list, oldest first. A list that neither the configuration nor `VCON_ALLOWED_LISTS` names gives only UUIDs: 409 where it holds anything else, since it then belongs to another program.",
        querystring: z.object({ egress_list: listName(settings.sortedSetName), limit }),
        answers: { 200: { description: "UUIDs, oldest first.", schema: Uuids }, ...problems(403, 409, 422, 503) },
      },
    },
    ({ query: { egress_list: list, limit: count } }) => {
      const known = settings.allowedLists.includes(list) || listsOf(plan()).includes(list);
      return known ? backend.pop(list, count) : backend.pop(list, count, "uuids");
    },
  );
}

function countRoute(api: Api, { backend, settings }: Context): void {
  api.get(
    "/vcon/count",
    {
      config: { refusal: "original", failure: "Failed to count egress list" },
      schema: {
        ...common,
        summary: "Count the entries of an egress list",
        querystring: z.object({ egress_list: listName(settings.sortedSetName) }),
        answers: { 200: { description: "How many entries wait.", schema: count }, ...problems(403, 422, 503) },
      },
    },
    async ({ query }, reply) => sendInteger(reply, (await backend.depths([query.egress_list]))[0]),
  );
}

/** A bare integer as JSON. */
export const sendInteger = (reply: FastifyReply, value: number | undefined): FastifyReply =>
  reply.type("application/json; charset=utf-8").send(String(value ?? 0));

const ByChain = z.object({
  name: z
    .string()
    .max(256)
    .meta({ description: "Name of a chain.", examples: ["quickstart"] }),
});

function chainOf(plan: Plan, name: string): ChainPlan {
  const chain = plan.chains.find((each) => each.name === name);
  if (chain) return chain;
  throw new VconError(
    "VCON_NOT_FOUND",
    `there is no chain ${JSON.stringify(name)}; the configuration has ${plan.chains.map((each) => each.name).join(", ") || "none"}`,
  );
}

/** The list that was named when it is the chain's, else the chain's first. */
function chainList(chain: ChainPlan, lists: readonly string[], wanted: string | undefined): string {
  const list = wanted === undefined ? lists[0] : lists.find((each) => each === wanted);
  if (list !== undefined) return list;
  const has = lists.length === 0 ? "none of that kind" : lists.join(", ");
  throw new VconError(
    "VCON_CONFLICT",
    `the chain ${chain.name} has no such list${wanted === undefined ? "" : ` ${wanted}`}; it has ${has}`,
  );
}

const QueuedSchema = z.object({ list: z.string(), queued: z.number().int(), unknown: Uuids }).meta({
  description: "Which stored vCons were queued.",
  examples: [{ list: "quickstart_ingress", queued: 2, unknown: [] }],
});

function chainIngressRoute(api: Api, context: Context): void {
  const { backend, vcons, store, settings, plan } = context;
  const list = listName(settings.sortedSetName)
    .optional()
    .meta({ description: "Which of the chain's ingress lists; the first unless given." });
  api.post(
    "/chain/:name/ingress",
    {
      config: { failure: "Failed to add to ingress list" },
      schema: {
        ...common,
        summary: "Queue vCons for a chain",
        description: "Takes a vCon, which is stored and queued, or an array of UUIDs of stored vCons.",
        params: ByChain,
        querystring: storeQuery(settings.sortedSetName).omit({ ingress_lists: true }).extend({ list }),
        request: { description: "A vCon, or UUIDs.", content: { "application/json": z.union([VconSchema, UuidList]) } },
        answers: {
          200: {
            description: "The stored vCons are queued.",
            schema: QueuedSchema,
            headers: { "X-Vcon-Unconsumed": UNCONSUMED },
          },
          201: storedAnswer("The vCon is stored and queued."),
          ...problems(401, 404, 408, 409, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const chain = chainOf(plan(), request.params.name);
      const target = chainList(chain, chain.ingressLists, request.query.list);
      if (startsArray(bytesOf(request))) {
        const { found, unknown } = await existing(vcons, bodyOf(request, UuidList));
        if (found.length > 0) await backend.push(target, found);
        tellUnconsumed(reply, plan(), [target]);
        return reply.send({ list: target, queued: found.length, unknown });
      }
      const query = { ...request.query, ingress_lists: [target] };
      const stored = await store.add(bytesOf(request), readingOf(context, query), {
        lists: query.ingress_lists,
        requeue: query.requeue,
        condition: conditionOf(request.headers),
      });
      return answerStored({ context, reply: reply.status(201), query }, stored);
    },
  );
}

/** Whether the first character that is no white space opens an array. */
function startsArray(bytes: Uint8Array): boolean {
  const first = bytes.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  return first === 0x5b;
}

function chainEgressRoute(api: Api, { backend, settings, plan }: Context): void {
  const list = listName(settings.sortedSetName)
    .optional()
    .meta({ description: "Which of the chain's egress lists; the first unless given." });
  api.get(
    "/chain/:name/egress",
    {
      exposeHeadRoute: false,
      config: { changes: true, failure: "Failed to pop from egress list" },
      schema: {
        ...common,
        summary: "Take a chain's finished vCons",
        description: "Takes the entries off the list, oldest first.",
        params: ByChain,
        querystring: z.object({ limit, list }),
        answers: { 200: { description: "UUIDs, oldest first.", schema: Uuids }, ...problems(401, 404, 409, 422, 503) },
      },
    },
    ({ params, query }) => {
      const chain = chainOf(plan(), params.name);
      return backend.pop(chainList(chain, chain.egressLists, query.list), query.limit);
    },
  );
}
