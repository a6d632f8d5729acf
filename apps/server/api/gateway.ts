import type { IncomingMessage } from "node:http";
import cors from "@fastify/cors";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { VconError } from "@vcon-server/core";
import fastify, { type FastifyInstance, type FastifyRequest, type onRequestAsyncHookHandler } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { createContext } from "./context.ts";
import type { GatewayDeps } from "./deps.ts";
import type { Api } from "./http/api.ts";
import { createGuard } from "./http/auth.ts";
import { readBody } from "./http/body.ts";
import { errorHandler, refuseSocket } from "./http/errors.ts";
import { askForBodies, isWanted } from "./http/expect.ts";
import { frame, transform, transformObject } from "./http/openapi.ts";
import { checkQuery, tidyQuery } from "./http/query.ts";
import { createUnknownHandler } from "./http/unknown.ts";
import { validatorCompiler } from "./http/validation.ts";
import { bulkRoute } from "./routes/bulk.ts";
import { changeRoutes } from "./routes/changes.ts";
import { configurationRoutes } from "./routes/configuration.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { documentRoutes } from "./routes/documents.ts";
import { intakeRoutes } from "./routes/intake.ts";
import { manyRoute } from "./routes/many.ts";
import { queueRoutes } from "./routes/queues.ts";
import { serverRoutes } from "./routes/server.ts";
import { strandedRoutes } from "./routes/stranded.ts";

/** Milliseconds within which the request line and headers must be there. */
const HEADERS_TIMEOUT = 10_000;
/** Milliseconds between looks at connections whose headers are late. */
const CONNECTIONS_CHECK = 1_000;
const KEEP_ALIVE = 72_000;
/** Bytes of request line and headers: 500 UUIDs in a query must fit. */
const MAX_HEADERS = 64 * 1024;

/** The HTTP gateway, ready to listen or to be asked through `inject`. */
export async function createGateway(deps: GatewayDeps): Promise<FastifyInstance> {
  const app = createServer(deps);
  const unknown = createUnknownHandler(app);
  app.setValidatorCompiler(validatorCompiler);
  // documents leave as stored bytes, everything else is made here: nothing needs a check on its way out
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler(errorHandler(deps));
  app.setNotFoundHandler(unknown);
  addHeaders(app, deps);
  refuseWhileClosing(app);
  takeBodies(app, deps);
  if (deps.settings.corsOrigins.length > 0) await app.register(cors, corsOptions(deps.settings.corsOrigins));
  await app.register(swagger, { openapi: frame(deps), transform, transformObject, exposeHeadRoutes: false });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    uiConfig: { validatorUrl: null, deepLinking: true },
    uiHooks: { onRequest: withSlash },
    theme: {
      title: "vCon Server API",
      css: [{ filename: "plain.css", content: ".swagger-ui .topbar { display: none }" }],
    },
  });
  await app.register(async (instance) => addRoutes(instance.withTypeProvider<ZodTypeProvider>(), deps));
  await app.ready();
  return app;
}

function createServer(deps: GatewayDeps): FastifyInstance {
  const { settings } = deps;
  const refuse = errorHandler(deps);
  return fastify({
    logger: false,
    rewriteUrl: (request) => withoutRoot(request, settings.rootPath),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
    bodyLimit: settings.maxBodyBytes,
    // bodies have a clock of their own, so that an upload of many vCons may take its time
    requestTimeout: 0,
    http: {
      maxHeaderSize: MAX_HEADERS,
      headersTimeout: HEADERS_TIMEOUT,
      connectionsCheckingInterval: CONNECTIONS_CHECK,
    },
    connectionTimeout: 2 * settings.requestTimeout,
    keepAliveTimeout: KEEP_ALIVE,
    clientErrorHandler: refuseSocket,
    // addresses that are none reach no hook and no handler
    frameworkErrors: (error, request, reply) => refuse(error, request, reply.headers(headersOfAll(deps))),
    return503OnClosing: false,
    forceCloseConnections: "idle",
    trustProxy: false,
  });
}

/** Routes stand without the root path, and answer with it as well. */
function withoutRoot({ url = "/" }: IncomingMessage, rootPath: string): string {
  if (rootPath === "" || !url.startsWith(rootPath)) return url;
  const rest = url.slice(rootPath.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : url;
}

/** The page finds its parts by relative addresses, which works behind every prefix once the address ends in a slash. */
const withSlash: onRequestAsyncHookHandler = async (request, reply) => {
  if (request.url === "/docs") return reply.redirect("docs/", 302);
};

const headersOfAll = ({ build }: GatewayDeps) => ({
  "x-vcon-server-version": build.version,
  "x-vcon-server-commit": build.gitCommit,
  // what clients stored must never be taken for a page
  "x-content-type-options": "nosniff",
});

function addHeaders(app: FastifyInstance, deps: GatewayDeps): void {
  const headers = headersOfAll(deps);
  app.addHook("onRequest", async (_, reply) => {
    reply.headers(headers);
  });
}

/** What is under way is finished; what comes after is sent elsewhere. */
function refuseWhileClosing(app: FastifyInstance): void {
  let closing = false;
  app.addHook("preClose", async () => {
    closing = true;
  });
  app.addHook("onRequest", async () => {
    if (closing)
      throw new VconError("VCON_SHUTTING_DOWN", "the server is shutting down; send the request again to another one");
  });
}

function takeBodies(app: FastifyInstance, { settings }: GatewayDeps): void {
  const limits = { maxBytes: settings.maxBodyBytes, timeout: settings.requestTimeout };
  askForBodies(app, settings.maxBodyBytes);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (request: FastifyRequest, payload: IncomingMessage) => {
    // a body that no route reads stays where it is
    if (!isWanted(request)) return undefined;
    return request.routeOptions.config.streamed ? payload : readBody(request, payload, limits);
  });
}

const corsOptions = (origins: readonly string[]) => ({
  origin: origins.includes("*") ? "*" : [...origins],
  methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
  exposedHeaders: [
    "etag",
    "location",
    "link",
    "retry-after",
    "x-vcon-findings",
    "x-vcon-queued",
    "x-vcon-unconsumed",
    "x-vcon-deleting",
    "x-vcon-remaining",
    "x-vcon-damaged",
    "x-vcon-server-version",
    "x-vcon-server-commit",
  ],
  maxAge: 600,
});

function addRoutes(api: Api, deps: GatewayDeps): void {
  const context = createContext(deps);
  const guard = createGuard(deps);
  api.addHook("onRequest", async (request) => {
    tidyQuery(request);
    guard(request);
    checkQuery(request);
  });
  serverRoutes(api, context);
  documentRoutes(api, context);
  manyRoute(api, context);
  intakeRoutes(api, context);
  changeRoutes(api, context);
  bulkRoute(api, context);
  queueRoutes(api, context);
  deadLetterRoutes(api, context);
  strandedRoutes(api, context);
  configurationRoutes(api, context);
  api.get("/openapi.json", { config: { access: "public" }, schema: { hide: true } }, async () => api.swagger());
}
