import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { causesOf, type ErrorCode, type Logger, VconError } from "@vcon-server/core";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { PROBLEM_TYPE, problemOf } from "./problem.ts";

/** What clients read in place of messages that are none of their business. */
const UNEXPECTED = "Internal Server Error";

/** Sends every failure as a problem document; what is not the client's doing is logged here and nowhere else. */
export const errorHandler =
  (log: Logger) =>
  (error: FastifyError | VconError, request: FastifyRequest, reply: FastifyReply): void => {
    if (reply.raw.headersSent) return;
    const coded = error instanceof VconError ? error : codedOf(error);
    const status = error instanceof VconError ? error.status : (error.statusCode ?? 500);
    void sendProblem(log, { error: coded, request, reply, status });
  };

interface Failure {
  readonly error: VconError;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly status: number;
}

function sendProblem(log: Logger, { error, request, reply, status }: Failure): FastifyReply {
  const failed = status >= 500 && status !== 503;
  const failure = failed ? (request.routeOptions.config.failure ?? UNEXPECTED) : undefined;
  const problem = problemOf(error, { status, ...(failure !== undefined && { failure }) });
  const instance = failed ? `urn:uuid:${randomUUID()}` : undefined;
  if (status >= 500) {
    const facts = {
      code: error.code,
      route: request.routeOptions.url,
      method: request.method,
      causes: causesOf(error),
      instance,
    };
    log[failed ? "error" : "warn"]("a request failed", facts);
  }
  if (status === 503) reply.header("retry-after", Math.max(1, Math.ceil(error.retryAfterSecs ?? 1)));
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="vcon-server"');
  // the rest of such a body is not worth reading: the connection cannot be used again
  if (status === 408 || status === 413 || error.code === "VCON_SHUTTING_DOWN") reply.header("connection", "close");
  return reply
    .status(status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(instance === undefined ? problem : { ...problem, instance }));
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  404: "VCON_NOT_FOUND",
  408: "VCON_INPUT_TIMEOUT",
  413: "VCON_INPUT_TOO_LARGE",
  414: "VCON_INPUT_TOO_LARGE",
  415: "VCON_INPUT_MEDIATYPE",
};

/** A failure of the framework, or one nobody foresaw, as a coded one. */
function codedOf(error: FastifyError): VconError {
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500)
    return new VconError(CODES[status] ?? "VCON_INPUT_INVALID", error.message, { cause: error });
  return new VconError("VCON_INTERNAL", UNEXPECTED, { cause: error });
}

/** Answers what is no HTTP request, or did not become one in time, on the bare socket. */
export function refuseSocket(error: Error & { readonly code?: string }, socket: Socket): void {
  if (socket.destroyed || !socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [line, coded] =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? ([
          "408 Request Timeout",
          new VconError("VCON_INPUT_TIMEOUT", "the request headers did not arrive in time"),
        ] as const)
      : error.code === "HPE_HEADER_OVERFLOW"
        ? ([
            "431 Request Header Fields Too Large",
            new VconError("VCON_INPUT_TOO_LARGE", "the request headers are too large"),
          ] as const)
        : (["400 Bad Request", new VconError("VCON_INPUT_MALFORMED", "this is not an HTTP/1.1 request")] as const);
  const body = JSON.stringify(problemOf(coded, { status: Number.parseInt(line, 10) }));
  const head = [`content-type: ${PROBLEM_TYPE}`, `content-length: ${Buffer.byteLength(body)}`, "connection: close"];
  socket.end(`HTTP/1.1 ${line}\r\n${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
