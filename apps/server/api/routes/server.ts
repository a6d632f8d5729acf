import { causesOf, VconError } from "@vcon-server/core";
import { findStranded } from "@vcon-server/core/engine";
import { indexOf, parseVcon } from "@vcon-server/vcon";
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { problems } from "../http/document.ts";
import { SECURED } from "../http/openapi.ts";
import { listName } from "../http/parameters.ts";
import { VersionInfo } from "../http/schemas.ts";
import { reindexAll } from "../service/read-each.ts";
import { sendInteger } from "./queues.ts";

const tags = ["Server"];

/** Routes about the server itself. */
export function serverRoutes(api: Api, context: Context): void {
  versionRoutes(api, context);
  liveRoute(api);
  readyRoute(api, context);
  depthRoute(api, context);
  indexRoute(api, context);
}

function versionRoutes(api: Api, { build }: Context): void {
  const shown = { version: build.version, git_commit: build.gitCommit, build_time: build.buildTime };
  api.get(
    "/version",
    {
      config: { access: "public" },
      schema: {
        tags,
        summary: "Version of the server",
        answers: { 200: { description: "What was built when.", schema: VersionInfo } },
      },
    },
    async () => shown,
  );
  const Health = z.object({ status: z.literal("healthy"), version: VersionInfo });
  api.get(
    "/health",
    {
      config: { access: "public" },
      schema: {
        tags,
        summary: "Whether the server runs",
        description: "Says nothing about the backend; that is `/health/ready`.",
        answers: { 200: { description: "It runs.", schema: Health } },
      },
    },
    async () => ({ status: "healthy", version: shown }),
  );
}

function liveRoute(api: Api): void {
  const Live = z.object({ status: z.literal("live") }).meta({ examples: [{ status: "live" }] });
  api.get(
    "/health/live",
    {
      config: { access: "public" },
      schema: {
        tags,
        summary: "Liveness probe",
        answers: { 200: { description: "The process answers.", schema: Live } },
      },
    },
    async () => ({ status: "live" }),
  );
}

/** Milliseconds for which what is stranded is not counted again: probes ask often. */
const STRANDED_MS = 15_000;

/** Counts what no chain or storage takes any more; names are for those with a token. */
function createStrandedCount({ backend, plan, clock }: Context): () => Promise<StrandedCount> {
  let last: { readonly at: number; readonly count: Promise<StrandedCount> } | undefined;
  const count = async (): Promise<StrandedCount> => {
    const { lists, deadLetters, storages } = await findStranded(backend, plan());
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
    return {
      entries: sum(lists.map(({ waiting, parked }) => waiting + parked)),
      dead_letters: sum(deadLetters.map(({ waiting }) => waiting)),
      deliveries: sum(storages.map(({ deliveries }) => deliveries)),
    };
  };
  return () => {
    if (last === undefined || clock.now() - last.at >= STRANDED_MS) last = { at: clock.now(), count: count() };
    last.count.catch(() => {
      last = undefined;
    });
    return last.count;
  };
}

const StrandedCountSchema = z.object({
  entries: z.number().int(),
  dead_letters: z.number().int(),
  deliveries: z.number().int(),
});
type StrandedCount = z.infer<typeof StrandedCountSchema>;

function readyRoute(api: Api, context: Context): void {
  const { backend } = context;
  const countStranded = createStrandedCount(context);
  const Ready = z
    .object({
      status: z.enum(["ready", "unready"]),
      reasons: z.array(z.string()),
      details: z.object({ stranded: StrandedCountSchema }).optional(),
    })
    .meta({
      examples: [
        { status: "ready", reasons: [], details: { stranded: { entries: 0, dead_letters: 3, deliveries: 0 } } },
      ],
    });
  api.get(
    "/health/ready",
    {
      config: { access: "public" },
      schema: {
        tags,
        summary: "Readiness probe",
        description:
          "`details.stranded` counts what chains and storages that were renamed or removed have left behind, where there " +
          "is any; `GET /stranded` names it. It does not make the server unready.",
        answers: {
          200: { description: "Requests can be served.", schema: Ready },
          503: { description: "The backend does not answer.", schema: Ready },
        },
      },
    },
    async (_, reply) => {
      try {
        await backend.health();
        const stranded = await countStranded().catch(() => undefined);
        const some = stranded !== undefined && Object.values(stranded).some((count) => count > 0);
        return { status: "ready", reasons: [], ...(some && { details: { stranded } }) };
      } catch (error) {
        // the address of the backend is nobody's business here, its state is
        const reason = error instanceof VconError ? error.code : "VCON_INTERNAL";
        return reply
          .status(503)
          .header("retry-after", 1)
          .send({ status: "unready", reasons: [reason] });
      }
    },
  );
}

function depthRoute(api: Api, { backend, settings }: Context): void {
  const Depth = z
    .object({ list_name: z.string(), depth: z.number().int() })
    .meta({ examples: [{ list_name: "quickstart_ingress", depth: 3 }] });
  api.get(
    "/stats/queue",
    {
      config: { refusal: "original", failure: "Failed to get queue depth" },
      schema: {
        tags,
        security: SECURED,
        summary: "Depth of a queue",
        querystring: z.object({ list_name: listName(settings.sortedSetName) }),
        answers: {
          200: { description: "How many entries wait; 0 for a list that is not there.", schema: Depth },
          ...problems(403, 422, 503),
        },
      },
    },
    async ({ query: { list_name } }) => ({ list_name, depth: (await backend.depths([list_name]))[0] ?? 0 }),
  );
}

function indexRoute(api: Api, { backend, log }: Context): void {
  api.get(
    "/index_vcons",
    {
      exposeHeadRoute: false,
      config: { refusal: "original", failure: "Failed to index vCons" },
      schema: {
        tags,
        security: SECURED,
        summary: "Rebuild the indices",
        description:
          "Rewrites creation time and party entries of every working copy; one that cannot be read is left out.",
        answers: {
          200: {
            description: "How many vCons were indexed.",
            schema: z
              .number()
              .int()
              .meta({ examples: [1024] }),
          },
          ...problems(403, 503),
        },
      },
    },
    async (request, reply) => {
      // a large store takes longer than a connection may be silent
      request.raw.socket.setTimeout(0);
      const count = await reindexAll(
        backend,
        ({ uuid, bytes }) => ({ uuid, index: indexOf(parseVcon(bytes)) }),
        (uuid, error) => log.warn("a vCon cannot be indexed", { vcon: uuid, causes: causesOf(error) }),
      );
      return sendInteger(reply, count);
    },
  );
}
