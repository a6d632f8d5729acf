import { VconError } from "@vcon-server/core";
import type { Backend, DeadLetter } from "@vcon-server/core/backend";
import { dlqOf, nearest, type Plan } from "@vcon-server/core/config";
import { findStranded, listTakenLists } from "@vcon-server/core/engine";
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

/**
 * Finds the lists that may hold dead letters of an ingress list: the list of its chain, and those of chains that were
 * renamed or removed. The name of such a list stands for itself.
 */
async function findDlqs({ backend, plan }: Pick<Context, "backend" | "plan">, list: string): Promise<DlqView[]> {
  const current = dlqFor(plan(), list);
  const { deadLetters } = await findStranded(backend, plan());
  const left = deadLetters.map(({ name }) => name).filter((name) => name !== current);
  if (left.includes(list)) return [{ dlq: list }];
  return [{ dlq: current, list }, ...left.map((dlq) => ({ dlq, list, strict: true }))];
}

interface DlqView {
  readonly dlq: string;
  readonly list?: string;
  /** Only what surely came from the list: others share this one. */
  readonly strict?: boolean;
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
    async ({ query: { ingress_list, limit = Number.POSITIVE_INFINITY, offset, details } }, reply) => {
      const wanted = { views: await findDlqs({ backend, plan }, ingress_list), offset, limit };
      const body = await streamArray(readPages(backend, wanted, details ? showDetails : ({ uuid }) => uuid));
      return reply.type("application/json; charset=utf-8").send(body);
    },
  );
}

const showDetails = ({ uuid, record }: DeadLetter) => ({ uuid, record: record ?? null });

interface Wanted {
  readonly views: readonly DlqView[];
  readonly offset: number;
  readonly limit: number;
}

async function* readPages(
  backend: Pick<Backend, "deadLetters">,
  { views, offset, limit }: Wanted,
  show: (entry: DeadLetter) => unknown,
): AsyncGenerator<readonly unknown[]> {
  // one list alone leaves out the beginning by itself
  const start = views.length === 1 ? offset : 0;
  let [skip, left] = [offset - start, limit];
  for (const { strict = false, ...view } of views) {
    for (let at = start; left > 0; at += PAGE) {
      const most = strict ? PAGE : Math.min(PAGE, skip + left);
      const page = await backend.deadLetters({ ...view, offset: at, limit: most });
      const fitting = strict ? page.filter(({ record }) => record?.list === view.list) : page;
      const shown = fitting.slice(skip, skip + left);
      skip = Math.max(0, skip - fitting.length);
      left -= shown.length;
      yield shown.map(show);
      if (page.length < PAGE) break;
    }
  }
}

/** Says where the dead letters of a list are when those of its chain are none: a chain that was renamed left them behind. */
async function refuseStranded({ backend, plan }: Pick<Context, "backend" | "plan">, list: string): Promise<void> {
  const current = dlqFor(plan(), list);
  const views = (await findDlqs({ backend, plan }, list)).filter(({ dlq }) => dlq !== current);
  for (const view of views) {
    for await (const page of readPages(backend, { views: [view], offset: 0, limit: 1 }, ({ uuid }) => uuid)) {
      if (page.length === 0) continue;
      const taken = listTakenLists(plan());
      const to = taken.includes(list) ? list : (nearest(list, taken) ?? "<ingress list>");
      const query = `list=${encodeURIComponent(view.dlq)}&to=${to.startsWith("<") ? to : encodeURIComponent(to)}`;
      throw new VconError(
        "VCON_CONFLICT",
        `reprocessing dead letters of ${list}: they lie in ${view.dlq}, which belongs to no chain of the configuration; move them with POST /stranded/move?${query}`,
      );
    }
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
        description:
          "Goes on where each one failed: at the failing link, or with the delivery to the storage. Where there is nothing " +
          "to move and a chain that was renamed or removed has left dead letters of this list behind, 409 says how to move them.",
        querystring,
        answers: {
          200: {
            description: "How many entries were moved.",
            schema: z
              .number()
              .int()
              .meta({ examples: [12] }),
          },
          ...problems(403, 409, 422, 503),
        },
      },
    },
    async ({ query: { ingress_list, count } }, reply) => {
      const dlq = dlqFor(plan(), ingress_list);
      const moved = await backend.reprocess(dlq, count, { list: ingress_list, fallback: ingress_list });
      if (moved === 0) await refuseStranded({ backend, plan }, ingress_list);
      return sendInteger(reply, moved);
    },
  );
}
