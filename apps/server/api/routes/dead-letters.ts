import type { Backend, DeadLetter, DeadLetterQuery } from "@vcon-server/core/backend";
import { dlqOf, type Plan } from "@vcon-server/core/config";
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { problems } from "../http/document.ts";
import { streamArray } from "../http/json-array.ts";
import { SECURED } from "../http/openapi.ts";
import { flag, integer, listName } from "../http/parameters.ts";
import { DeadLetterSchema, Uuids } from "../http/schemas.ts";
import { sendInteger } from "./queues.ts";

const common = { tags: ["Dead letters"], security: SECURED };

/** Entries read from the backend at a time. */
const PAGE = 1000;

/** The dead-letter list of vCons that came from `list`: that of the chain that takes from it, else the original's name. */
export function dlqFor(plan: Plan, list: string): string {
  const chain = plan.chains.find(({ ingressLists }) => ingressLists.includes(list));
  return chain ? dlqOf(chain, list) : `DLQ:${list}`;
}

/** Routes about vCons whose processing failed. */
export function deadLetterRoutes(api: Api, context: Context): void {
  readRoute(api, context);
  reprocessRoute(api, context);
}

function readRoute(api: Api, { backend, plan, settings }: Context): void {
  const querystring = z.object({
    ingress_list: listName(settings.sortedSetName),
    limit: integer({ min: 1, most: 1_000_000_000 })
      .optional()
      .meta({ description: "How many entries at most; all unless given." }),
    offset: integer({ min: 0, max: 1_000_000_000, default: 0 }).meta({
      description: "How many entries to leave out at the beginning.",
    }),
    details: flag("Whether each entry comes with its record: what failed, why, when."),
  });
  api.get(
    "/dlq",
    {
      config: { refusal: "original", failure: "Failed to read DLQ" },
      schema: {
        ...common,
        summary: "List failed vCons, oldest first",
        querystring,
        answers: {
          200: {
            description: "UUIDs; with `details=true` objects.",
            schema: z.union([Uuids, z.array(DeadLetterSchema)]),
          },
          ...problems(403, 422, 503),
        },
      },
    },
    async ({ query: { ingress_list, limit, offset, details } }, reply) => {
      const dlq = dlqFor(plan(), ingress_list);
      const query = { dlq, list: ingress_list, offset, limit: limit ?? Number.POSITIVE_INFINITY };
      const body = await streamArray(readPages(backend, query, details ? showDetails : ({ uuid }) => uuid));
      return reply.type("application/json; charset=utf-8").send(body);
    },
  );
}

const showDetails = ({ uuid, record }: DeadLetter) => ({ uuid, record: record ?? null });

async function* readPages(
  backend: Pick<Backend, "deadLetters">,
  query: DeadLetterQuery,
  show: (entry: DeadLetter) => unknown,
): AsyncGenerator<readonly unknown[]> {
  for (let read = 0; read < query.limit; ) {
    const limit = Math.min(PAGE, query.limit - read);
    const page = await backend.deadLetters({ ...query, offset: query.offset + read, limit });
    yield page.map(show);
    read += page.length;
    if (page.length < limit) break;
  }
}

function reprocessRoute(api: Api, { backend, plan, settings }: Context): void {
  const querystring = z.object({
    ingress_list: listName(settings.sortedSetName),
    count: integer({ min: 1, max: 100_000, default: 1000 }).meta({ description: "How many entries to move at most." }),
  });
  api.post(
    "/dlq/reprocess",
    {
      config: { refusal: "original", failure: "Failed to reprocess DLQ" },
      schema: {
        ...common,
        summary: "Try failed vCons again, oldest first",
        description: "Goes on where each one failed: at the failing link, or with the delivery to the storage.",
        querystring,
        answers: {
          200: {
            description: "How many entries were moved.",
            schema: z
              .number()
              .int()
              .meta({ examples: [12] }),
          },
          ...problems(403, 422, 503),
        },
      },
    },
    async ({ query: { ingress_list, count } }, reply) =>
      sendInteger(
        reply,
        await backend.reprocess(dlqFor(plan(), ingress_list), count, { list: ingress_list, fallback: ingress_list }),
      ),
  );
}
