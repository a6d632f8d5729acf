import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { checkMediaType, tooLarge } from "./body.ts";

/** Requests that wait for `100 Continue` before they send their body. */
const waiting = new WeakSet<IncomingMessage>();

/** Returns true while the client keeps its body back until it is asked for. */
export const keepsBodyBack = (request: IncomingMessage): boolean => waiting.has(request);

/**
 * Asks for the body of a request with `Expect: 100-continue` only once nothing speaks against it: neither the key nor
 * the parameters, nor the length and type that its headers announce.
 */
export function askForBodies(app: FastifyInstance, maxBytes: number): void {
  app.server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    app.server.emit("request", request, response);
  });
  app.addHook("preParsing", async (request, reply) => {
    if (!isWanted(request)) return;
    checkMediaType(request);
    if (!request.routeOptions.config.streamed && announcedBytes(request) > maxBytes) throw tooLarge(maxBytes);
    if (waiting.delete(request.raw)) reply.raw.writeContinue();
  });
}

const announcedBytes = ({ headers }: FastifyRequest): number => Number(headers["content-length"] ?? 0);

/** Returns true when the route reads a body and the request has one. */
export const isWanted = (request: FastifyRequest): boolean =>
  !request.is404 &&
  request.routeOptions.schema?.request !== undefined &&
  (announcedBytes(request) > 0 || request.headers["transfer-encoding"] !== undefined);
