import { VconError } from "@vcon-server/core";
import { findStranded, listTakenLists, moveDeadLetters, moveEntries } from "@vcon-server/core/engine";
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { problems } from "../http/document.ts";
import { SECURED } from "../http/openapi.ts";
import { integer, listName } from "../http/parameters.ts";
import { sendInteger } from "./queues.ts";

const common = { tags: ["Dead letters"], security: SECURED };

const StrandedSchema = z
  .object({
    lists: z.array(z.object({ name: z.string(), waiting: z.number().int(), parked: z.number().int() })),
    dead_letters: z.array(z.object({ name: z.string(), waiting: z.number().int() })),
    storages: z.array(z.object({ name: z.string(), deliveries: z.number().int() })),
  })
  .meta({
    examples: [
      {
        lists: [{ name: "old_calls", waiting: 12, parked: 1 }],
        dead_letters: [{ name: "old_dlq", waiting: 3 }],
        storages: [{ name: "old_archive", deliveries: 40 }],
      },
    ],
  });

/** Routes about what chains and storages that were renamed or removed have left behind. */
export function strandedRoutes(api: Api, context: Context): void {
  listRoute(api, context);
  moveRoute(api, context);
}

function listRoute(api: Api, { backend, plan }: Context): void {
  api.get(
    "/stranded",
    {
      schema: {
        ...common,
        summary: "List what no chain or storage of the configuration takes any more",
        description:
          "Entries and dead letters of chains that were renamed or removed can be moved to another chain " +
          "(`POST /stranded/move`). Deliveries wait until their storage is back under its name, or the vCon is deleted.",
        answers: { 200: { description: "All of it, by name.", schema: StrandedSchema }, ...problems(403, 503) },
      },
    },
    async () => {
      const { lists, deadLetters, storages } = await findStranded(backend, plan());
      return { lists: [...lists], dead_letters: [...deadLetters], storages: [...storages] };
    },
  );
}

function moveRoute(api: Api, { backend, plan, settings }: Context): void {
  const querystring = z.object({
    list: listName(settings.sortedSetName).meta({ description: "A list or dead-letter list of `GET /stranded`." }),
    to: listName(settings.sortedSetName).meta({ description: "An ingress list of the chain that is to have them." }),
    count: integer({ min: 1, max: 100_000, default: 1000 }).meta({ description: "How many entries to move at most." }),
  });
  api.post(
    "/stranded/move",
    {
      schema: {
        ...common,
        summary: "Move what a renamed or removed chain has left behind to another chain",
        description:
          "Entries go to the end of the list `to`, where its chain begins them anew; deliveries that were given up go " +
          "back to their storage. Delayed entries can be moved once they are due.",
        querystring,
        answers: {
          200: {
            description: "How many entries were moved.",
            schema: z
              .number()
              .int()
              .meta({ examples: [12] }),
          },
          ...problems(403, 404, 409, 422, 503),
        },
      },
    },
    async ({ query: { list, to, count } }, reply) => {
      const taken = listTakenLists(plan());
      if (!taken.includes(to)) {
        const message = `moving entries of ${list}: no chain takes from ${to}; name an ingress list of the configuration`;
        throw new VconError("VCON_INPUT_INVALID", message);
      }
      const stranded = await findStranded(backend, plan());
      if (stranded.lists.some(({ name }) => name === list)) {
        return sendInteger(reply, await moveEntries(backend, { from: list, to, count, chain: "" }));
      }
      if (stranded.deadLetters.some(({ name }) => name === list)) {
        return sendInteger(reply, await moveDeadLetters(backend, { from: list, to, count, taken }));
      }
      const message = `moving entries of ${list}: it is empty, or the configuration has a use for it; see GET /stranded`;
      throw new VconError("VCON_CONFLICT", message);
    },
  );
}
