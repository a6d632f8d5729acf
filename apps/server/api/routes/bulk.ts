import { Readable } from "node:stream";
import { asVconError, type VconError } from "@vcon-server/core";
import { VconSchema } from "@vcon-server/vcon";
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { tooLarge } from "../http/body.ts";
import { problems } from "../http/document.ts";
import { SECURED } from "../http/openapi.ts";
import { problemOf } from "../http/problem.ts";
import { LineResult } from "../http/schemas.ts";
import { hangUpAfter, incoming } from "../http/stream.ts";
import { type Line, splitLines } from "../service/lines.ts";
import type { Store } from "../service/store.ts";
import { mapInOrder } from "../service/window.ts";
import { readingOf, type StoreQuery, storeQuery } from "./intake.ts";

const NDJSON = "application/x-ndjson";

/** Lines between input and output. */
const WINDOW = 256;

/** Bytes of results that wait for a client that sends everything before it reads; beyond, its upload waits. */
const UNREAD_RESULTS = 8 * 1024 * 1024;

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
        description:
          "One vCon a line. Answers with one line for each, in order, while the request is still being sent; a line that is refused does not stop the others. Read the answer while sending: results of more than 8 MiB that nobody reads make the upload wait.",
        querystring: storeQuery(context.settings.sortedSetName).omit({ egress_format_version: true }),
        request: { description: "vCons as newline-delimited JSON.", content: { [NDJSON]: VconSchema } },
        answers: {
          200: { description: "One result a line.", schema: LineResult, types: [NDJSON] },
          ...problems(401, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      // the whole upload may take longer than a request may; each piece of it may not
      const lines = splitLines(incoming(request, context.settings), context.settings.maxBodyBytes);
      const take = lineTaker(context, request.query);
      const results = mapInOrder(lines, WINDOW, take);
      const output = Readable.from(written(results, reply), { objectMode: false, highWaterMark: UNREAD_RESULTS });
      return reply.type(`${NDJSON}; charset=utf-8`).send(output);
    },
  );
}

type Result = z.input<typeof LineResult>;

/** Stores one line and tells what became of it; never throws. */
function lineTaker(
  context: Context,
  query: Omit<StoreQuery, "egress_format_version">,
): (line: Line) => Promise<Result> {
  const store: Store = context.storeInOrder();
  const reading = readingOf(context, query);
  const request = { lists: query.ingress_lists, requeue: query.requeue };
  return async ({ number, bytes }) => {
    try {
      if (bytes === undefined) throw tooLarge(context.settings.maxBodyBytes);
      const { uuid, outcome, findings } = await store.add(bytes, reading, request);
      return { line: number, status: 201, uuid, outcome, findings: findings.length };
    } catch (error) {
      return refusedLine(number, asVconError(error, "VCON_INTERNAL", "storing the vCon"));
    }
  };
}

/** Results as lines of text. An upload that breaks off ends with a line that says why. */
async function* written(results: AsyncIterable<Result>, reply: FastifyReply): AsyncGenerator<string> {
  let last = 0;
  try {
    for await (const result of results) {
      last = result.line;
      yield `${JSON.stringify(result)}\n`;
    }
  } catch (error) {
    hangUpAfter(reply);
    yield `${JSON.stringify(refusedLine(last + 1, asVconError(error, "VCON_INPUT_MALFORMED", "reading the upload")))}\n`;
  }
}

function refusedLine(line: number, error: VconError): Result {
  const { status, code, detail, errors } = problemOf(
    error,
    error.status === 500 ? { failure: "Failed to store vCon" } : {},
  );
  return { line, status, code, detail, ...(errors && { errors }) };
}
