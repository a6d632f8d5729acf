import { VconError } from "@vcon-server/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

interface Pattern {
  readonly segments: readonly string[];
  readonly methods: Set<string>;
}

const segmentsOf = (path: string): string[] => path.replace(/\/$/, "").split("/");

const matches = ({ segments }: Pattern, path: readonly string[]): boolean =>
  segments.length === path.length && segments.every((segment, at) => segment.startsWith(":") || segment === path[at]);

/** Refuses what no route answers: 405 with the methods that would be answered, or 404. Made before the routes are. */
export function createUnknownHandler(app: FastifyInstance): (request: FastifyRequest, reply: FastifyReply) => never {
  const patterns = new Map<string, Pattern>();
  app.addHook("onRoute", ({ url, method }) => {
    const known = patterns.get(url) ?? { segments: segmentsOf(url), methods: new Set() };
    for (const each of [method].flat()) known.methods.add(each);
    patterns.set(url, known);
  });
  return (request, reply) => {
    const path = segmentsOf(request.url.split("?", 1)[0] ?? "");
    const allowed = [...patterns.values()]
      .filter((pattern) => matches(pattern, path))
      .flatMap(({ methods }) => [...methods]);
    if (allowed.length === 0) throw new VconError("VCON_NOT_FOUND", "Not Found");
    reply.header("allow", [...new Set(allowed)].join(", "));
    throw new VconError("VCON_METHOD", "Method Not Allowed");
  };
}
