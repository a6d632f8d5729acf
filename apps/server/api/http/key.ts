import type { FastifyRequest } from "fastify";

/** Returns the key a request carries, in the header that is named or as `Authorization: Bearer`. */
export function readKey(request: FastifyRequest, headerName: string): string | undefined {
  const value = request.headers[headerName];
  if (typeof value === "string" && value !== "") return value;
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
}
