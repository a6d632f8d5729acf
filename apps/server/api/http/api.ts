import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Answers, RequestBody } from "./document.ts";

/** A Fastify instance whose requests are typed by the zod schemas of their routes. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Who may call a route: anybody, holders of a main token, partners with a key of the ingress list. */
export type Access = "public" | "main" | "partner";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Main tokens unless given. */
    access?: Access;
    /** How a refusal looks: 403 as the original's clients know it, or 401 with a challenge. Standard unless given. */
    refusal?: "original" | "standard";
    /** Detail of an unexpected failure, as the original words it. */
    failure?: string;
    /** The request changes something, as a GET that takes entries off a list; told from the method unless given. */
    changes?: boolean;
    /** The route reads its body itself, piece by piece. */
    streamed?: boolean;
    /** Media types the route takes besides JSON. */
    accepts?: readonly string[];
  }
  interface FastifySchema {
    /** Responses for the OpenAPI document. They are not run through the schemas: documents leave as stored bytes. */
    answers?: Answers;
    /** Request body for the OpenAPI document; routes parse bodies themselves, from the bytes. */
    request?: RequestBody;
  }
}
