import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { causesOf, type ErrorCode, type LogFields, type Logger, VconError } from "@vcon-server/core";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { GatewayDeps, GatewaySettings } from "../deps.ts";
import { keepsBodyBack } from "./expect.ts";
import { answerThenDiscard, hasUnreadBody } from "./linger.ts";
import { PROBLEM_TYPE, type Problem, problemOf } from "./problem.ts";

/** What clients read in place of messages that are none of their business. */
const UNEXPECTED = "Internal Server Error";

type ErrorDeps = Pick<GatewayDeps, "log"> & { readonly settings: Pick<GatewaySettings, "requestTimeout"> };

/** Sends every failure as a problem document; what is not the client's doing is logged here and nowhere else. */
export const errorHandler =
  (deps: ErrorDeps) =>
  (error: FastifyError | VconError, request: FastifyRequest, reply: FastifyReply): void => {
    if (reply.raw.headersSent) return;
    const coded = error instanceof VconError ? error : codedOf(error);
    const status = error instanceof VconError ? error.status : (error.statusCode ?? 500);
    void sendProblem(deps, { error: coded, request, reply, status });
  };

interface Failure {
  readonly error: VconError;
  readonly request: FastifyRequest;
  readonly status: number;
}

/** Bytes of a refused body that are read to its end rather than giving up the connection. */
const WORTH_READING = 64 * 1024;

function sendProblem(
  { log, settings }: ErrorDeps,
  { reply, ...failure }: Failure & { readonly reply: FastifyReply },
): FastifyReply {
  const { error, request, status } = failure;
  const problem = problemFor(failure);
  logFailure(log, { ...failure, instance: problem.instance });
  if (status === 503 || status === 429) reply.header("retry-after", Math.max(1, Math.ceil(error.retryAfterSecs ?? 1)));
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="vcon-server"');
  const unread = hasUnreadBody(request.raw);
  const ends =
    status === 408 ||
    // who tries tokens begins with a connection every time
    status === 429 ||
    error.code === "VCON_SHUTTING_DOWN" ||
    (unread && (isStranger(status) || !isWorthReading(request)));
  if (ends) reply.header("connection", "close");
  const bytes = Buffer.from(JSON.stringify(problem));
  reply.status(status).type(PROBLEM_TYPE);
  // a client that was not asked for its body sends none
  if (!ends || !unread || keepsBodyBack(request.raw) || request.method === "HEAD") return reply.send(bytes);
  return reply
    .header("content-length", bytes.length)
    .send(answerThenDiscard(request.raw, [bytes], settings.requestTimeout));
}

/** A client that may not send a body must not hold a connection by sending one slowly. */
const isStranger = (status: number): boolean => status === 401 || status === 403;

const isWorthReading = ({ headers }: FastifyRequest): boolean =>
  Number(headers["content-length"] ?? Number.POSITIVE_INFINITY) <= WORTH_READING;

/** The problem document of a failed request. What says nothing to the client gets a number to find it by in the log. */
export function problemFor({ error, request, status }: Failure): Problem {
  if (status < 500 || status === 503) return problemOf(error, { status });
  const failure = request.routeOptions.config.failure ?? UNEXPECTED;
  return { ...problemOf(error, { status, failure }), instance: `urn:uuid:${randomUUID()}` };
}

/** Logs what is not the client's doing: outages as warnings, unexpected failures as errors. `facts` tell more of it. */
export function logFailure(
  log: Logger,
  {
    error,
    request,
    status,
    instance,
    facts,
  }: Failure & { readonly instance?: string | undefined; readonly facts?: LogFields },
): void {
  if (status < 500) return;
  log[status === 503 ? "warn" : "error"]("a request failed", {
    code: error.code,
    route: request.routeOptions.url,
    method: request.method,
    ...facts,
    causes: causesOf(error),
    instance,
  });
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
