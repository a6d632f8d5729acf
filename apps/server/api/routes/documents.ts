import { VconError } from "@vcon-server/core";
import type { DeliveryState, IndexTerm } from "@vcon-server/core/backend";
import { findings, parseVcon, VconSchema } from "@vcon-server/vcon";
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { problems } from "../http/document.ts";
import { isFresh } from "../http/etag.ts";
import { bufferOf, exitOf } from "../http/exit.ts";
import { SECURED } from "../http/openapi.ts";
import { ByUuid, ExitQuery, integer, time } from "../http/parameters.ts";
import { linkNext } from "../http/query.ts";
import { DeliverySchema, FindingSchema, Uuids } from "../http/schemas.ts";

const common = { tags: ["vCons"], security: SECURED };

export const notFound = (): VconError => new VconError("VCON_NOT_FOUND", "vCon not found");

/** Routes that answer with documents and what is known about them. */
export function documentRoutes(api: Api, context: Context): void {
  listRoute(api, context);
  oneRoute(api, context);
  searchRoute(api, context);
  findingsRoute(api, context);
  deliveriesRoute(api, context);
}

function listRoute(api: Api, { backend, settings }: Context): void {
  const querystring = z.object({
    page: integer({ min: 1, max: 1_000_000_000, default: 1 }).meta({ description: "Page, counted from 1." }),
    size: integer({ min: 1, most: 1000, default: 50 }).meta({
      description: "UUIDs on a page; more than 1,000 count as 1,000.",
    }),
    since: time("Only vCons created at this time or later.").optional(),
    until: time("Only vCons created at this time or earlier.").optional(),
  });
  api.get(
    "/vcon",
    {
      config: { refusal: "original", failure: "Failed to list vCons" },
      schema: {
        ...common,
        summary: "List vCons, newest first",
        querystring,
        answers: {
          200: {
            description: "UUIDs by creation time, newest first.",
            schema: Uuids,
            headers: { Link: 'The next page (`rel="next"`), while there may be one.' },
          },
          ...problems(403, 422, 503),
        },
      },
    },
    async ({ query: { page, size, since, until } }, reply) => {
      const found = await backend.list({
        offset: (page - 1) * size,
        limit: size,
        // creation times are kept in whole seconds
        ...(since !== undefined && { since: Math.ceil(since) }),
        ...(until !== undefined && { until: Math.floor(until) }),
      });
      // a client that asked for more than a page holds would take a full page for the last one
      if (found.length === size)
        void reply.header("link", linkNext(`${settings.rootPath}/vcon`, { page: page + 1, size, since, until }));
      return reply.send(found);
    },
  );
}

function oneRoute(api: Api, { vcons, settings }: Context): void {
  api.get(
    "/vcon/:vcon_uuid",
    {
      config: { refusal: "original", failure: "Failed to read vCon" },
      schema: {
        ...common,
        summary: "Fetch a vCon",
        description: "Looks in the working copies, then in the storages that can read.",
        params: ByUuid,
        querystring: ExitQuery,
        answers: {
          200: { description: "The vCon.", schema: VconSchema, headers: { ETag: "Revision of the vCon." } },
          304: { description: "The vCon is what `If-None-Match` says." },
          ...problems(403, 404, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const document = await vcons.load(request.params.vcon_uuid);
      if (!document) throw notFound();
      const { bytes, etag } = exitOf(document, request.query.egress_format_version ?? settings.egressVersion);
      void reply.header("etag", etag);
      if (isFresh(request.headers["if-none-match"], etag)) return reply.status(304).send();
      return reply.type("application/json").send(bufferOf(bytes));
    },
  );
}

function searchRoute(api: Api, { backend }: Context): void {
  const term = (what: string) =>
    z
      .string()
      .max(1024)
      .optional()
      .meta({ description: `Exact ${what} of a party.` });
  api.get(
    "/vcons/search",
    {
      config: { refusal: "original", failure: "An error occurred during the search" },
      schema: {
        ...common,
        summary: "Find vCons by party",
        description:
          "Every parameter given must match (a true AND), exactly as written in the vCon; of a vCon with more than 10,000 such values the first 10,000 count. Encode a leading `+` as `%2B`.",
        querystring: z.object({ tel: term("telephone number"), mailto: term("e-mail address"), name: term("name") }),
        answers: { 200: { description: "UUIDs, in no order.", schema: Uuids }, ...problems(400, 403, 422, 503) },
      },
    },
    async ({ query: { tel, mailto, name } }) => {
      const terms: (IndexTerm | undefined)[] = [
        tel === undefined ? undefined : `tel:${tel}`,
        mailto === undefined ? undefined : `mailto:${mailto}`,
        name === undefined ? undefined : `name:${name}`,
      ];
      const given = terms.filter((each) => each !== undefined);
      if (given.length === 0)
        throw new VconError("VCON_INPUT_MISSING", "At least one search parameter must be provided");
      // an empty value is in no index
      if (tel === "" || mailto === "" || name === "") return [];
      return backend.search(given);
    },
  );
}

function findingsRoute(api: Api, { vcons }: Context): void {
  api.get(
    "/vcon/:vcon_uuid/findings",
    {
      schema: {
        ...common,
        summary: "What the rules of the draft say about a vCon",
        params: ByUuid,
        answers: {
          200: { description: "Findings on the vCon as it is stored.", schema: z.array(FindingSchema) },
          ...problems(401, 404, 422, 503),
        },
      },
    },
    async ({ params }) => {
      const document = await vcons.load(params.vcon_uuid);
      if (!document) throw notFound();
      return findings(parseVcon(document.bytes)).map(({ fatal: _, ...finding }) => finding);
    },
  );
}

function deliveriesRoute(api: Api, { backend, vcons }: Context): void {
  const shown = ({ done, error, ...state }: DeliveryState) => ({ ...state, done: done ?? null, error: error ?? null });
  api.get(
    "/vcon/:vcon_uuid/deliveries",
    {
      schema: {
        ...common,
        summary: "Which storages have a vCon",
        description: "Also tells, after a deletion, which storages could not delete.",
        params: ByUuid,
        answers: {
          200: { description: "State of the deliveries by storage.", schema: z.record(z.string(), DeliverySchema) },
          ...problems(401, 404, 422, 503),
        },
      },
    },
    async ({ params: { vcon_uuid } }) => {
      const states = Object.entries(await backend.deliveries(vcon_uuid));
      if (states.length === 0 && !(await vcons.load(vcon_uuid))) throw notFound();
      return Object.fromEntries(states.map(([storage, state]) => [storage, shown(state)]));
    },
  );
}
