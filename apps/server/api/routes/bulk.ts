import { Readable } from "node:stream";
import { asVconError, causesOf, VconError } from "@vcon-server/core";
import { VconSchema } from "@vcon-server/vcon";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { tooLarge } from "../http/body.ts";
import { problems } from "../http/document.ts";
import { logFailure, problemFor } from "../http/errors.ts";
import { answerThenDiscard, hasUnreadBody } from "../http/linger.ts";
import { SECURED } from "../http/openapi.ts";
import { flag, integer } from "../http/parameters.ts";
import { LineResult } from "../http/schemas.ts";
import { hangUpAfter, incoming } from "../http/stream.ts";
import { holdText } from "../service/held-results.ts";
import { type Line, splitLines } from "../service/lines.ts";
import type { Store } from "../service/store.ts";
import { findUnconsumed } from "../service/unconsumed.ts";
import { mapInOrder } from "../service/window.ts";
import { readingOf, storeQuery } from "./intake.ts";

const NDJSON = "application/x-ndjson";

/** Lines between input and output. */
const WINDOW = 256;

/** Bytes of results that wait for a client that sends everything before it reads; beyond, its upload waits. */
const UNREAD_RESULTS = 8 * 1024 * 1024;

const DESCRIPTION = `One vCon a line. Answers with one line for each, in order; a line that is refused does not stop the others.

The answer begins when the whole upload is read: proxies stop passing a request on once its answer has begun. With \`stream=true\` results come while the request is still being sent; then read the answer while sending, since results of more than 8 MiB that nothing reads make the upload wait.

An upload that breaks off ends with a line that has \`resume_from_line\`, the first line without a result: send the same lines again with \`from_line\` set to it. Where the connection is lost and there is no answer, send everything again: content that is there already has no effect.`;

const bulkQuery = (sortedSet: string) =>
  storeQuery(sortedSet)
    .omit({ egress_format_version: true })
    .extend({
      stream: flag("Whether results come while the request is still being sent; not through proxies that buffer."),
      from_line: integer({ min: 1, max: 1_000_000_000, default: 1 }).meta({
        description: "First line to take; those before it are read past, as after an upload that broke off.",
      }),
    });

type BulkQuery = z.output<ReturnType<typeof bulkQuery>>;

/** The route that takes any number of vCons in one request. */
export function bulkRoute(api: Api, context: Context): void {
  api.post(
    "/vcons",
    {
      config: {
        streamed: true,
        accepts: [NDJSON, "application/ndjson", "application/jsonl"],
        failure: "Failed to store vCons",
      },
      schema: {
        tags: ["vCons"],
        security: SECURED,
        summary: "Store many vCons",
        description: DESCRIPTION,
        querystring: bulkQuery(context.settings.sortedSetName),
        request: { description: "vCons as newline-delimited JSON.", content: { [NDJSON]: VconSchema } },
        answers: {
          200: { description: "One result a line.", schema: LineResult, types: [NDJSON] },
          ...problems(401, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const upload = { context, request, query: request.query };
      void reply.type(`${NDJSON}; charset=utf-8`);
      return request.query.stream ? sendAsTheyCome(upload, reply) : sendWhenRead(upload, reply);
    },
  );
}

type Result = z.input<typeof LineResult>;

interface Upload {
  readonly context: Context;
  readonly request: FastifyRequest;
  readonly query: BulkQuery;
}

function sendAsTheyCome(upload: Upload, reply: FastifyReply): FastifyReply {
  const lines = async function* () {
    for await (const result of takeUpload(upload)) {
      if (result.resume_from_line !== undefined) hangUpAfter(reply);
      yield writeLine(result);
    }
  };
  return reply.send(Readable.from(lines(), { objectMode: false, highWaterMark: UNREAD_RESULTS }));
}

async function sendWhenRead(upload: Upload, reply: FastifyReply): Promise<FastifyReply> {
  const { request, context } = upload;
  const held = holdText();
  let last = upload.query.from_line - 1;
  for await (const result of takeUpload(upload)) {
    last = result.line;
    if (!(await held.add(writeLine(result)))) {
      await held.add(writeLine(breakOff(upload, last, tooManyResults())));
      break;
    }
  }
  const { bytes, content } = await held.close();
  void reply.header("content-length", bytes);
  if (!hasUnreadBody(request.raw)) return reply.send(content);
  void reply.header("connection", "close");
  return reply.send(answerThenDiscard(request.raw, content, context.settings.requestTimeout));
}

const tooManyResults = (): VconError =>
  new VconError(
    "VCON_INPUT_TOO_LARGE",
    "the results of this upload are more than the server holds; send the rest with from_line, or all of it with stream=true",
  );

const writeLine = (result: Result): string => `${JSON.stringify(result)}\n`;

/** Stores the lines of an upload; the results of one that breaks off end with a line that says why and where. */
async function* takeUpload(upload: Upload): AsyncGenerator<Result> {
  const { context, request, query } = upload;
  // the whole upload may take longer than a request may; each piece of it may not
  const lines = splitLines(incoming(request, context.settings), context.settings.maxBodyBytes);
  let last = query.from_line - 1;
  try {
    for await (const result of mapInOrder(skipLines(lines, query.from_line), WINDOW, lineTaker(upload))) {
      last = result.line;
      yield result;
    }
  } catch (error) {
    yield breakOff(upload, last, asVconError(error, "VCON_INPUT_MALFORMED", "reading the upload"));
  }
}

async function* skipLines(lines: AsyncIterable<Line>, from: number): AsyncGenerator<Line> {
  for await (const line of lines) if (line.number >= from) yield line;
}

/** Logs that an upload broke off after this line, and returns the result that says so. */
function breakOff({ context, request }: Upload, last: number, error: VconError): Result {
  context.log.warn("an upload broke off; what it had until then is stored", {
    code: error.code,
    route: request.routeOptions.url,
    lines: last,
    resume_from_line: last + 1,
    causes: causesOf(error),
  });
  const { status } = error;
  return { ...describeFailure(last + 1, problemFor({ error, request, status })), resume_from_line: last + 1 };
}

/** Returns what stores one line and tells what became of it; it never throws. */
function lineTaker({ context, request, query }: Upload): (line: Line) => Promise<Result> {
  const store: Store = context.storeInOrder();
  const reading = readingOf(context, query);
  const wish = { lists: query.ingress_lists, requeue: query.requeue };
  let outages = 0;
  return async ({ number, bytes }) => {
    try {
      if (bytes === undefined) throw tooLarge(context.settings.maxBodyBytes);
      const { uuid, outcome, findings, queued } = await store.add(bytes, reading, wish);
      const unconsumed = findUnconsumed(context.plan(), wish.lists);
      const told = unconsumed.length > 0 ? { unconsumed } : {};
      return { line: number, status: 201, uuid, outcome, findings: findings.length, queued, ...told };
    } catch (thrown) {
      const error = asVconError(thrown, "VCON_INTERNAL", "storing the vCon");
      const failure = { error, request, status: error.status };
      const problem = problemFor(failure);
      // an outage fails every line alike: the first one stands for them
      if (error.status !== 503 || ++outages === 1)
        logFailure(context.log, { ...failure, instance: problem.instance, facts: { line: number } });
      return describeFailure(number, problem);
    }
  };
}

function describeFailure(line: number, problem: ReturnType<typeof problemFor>): Result {
  const { status, code, detail, errors, instance } = problem;
  return { line, status, code, detail, ...(errors && { errors }), ...(instance !== undefined && { instance }) };
}
