import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { VconError } from "@vcon-server/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { encodingOf, GZIP_FREE, GZIP_RATIO } from "./body.ts";

/** The request body of a streamed route piece by piece, unpacked. A client that sends nothing for `requestTimeout` is cut off. */
export async function* incoming(
  request: FastifyRequest,
  { requestTimeout }: { readonly requestTimeout: number },
): AsyncGenerator<Buffer> {
  const { body } = request;
  // no body at all is no line at all
  if (!(body instanceof Readable)) return;
  const source: AsyncIterator<Buffer> =
    encodingOf(request) === "gzip" ? unpacked(body) : body.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      // only the wait for the client counts, not the time its lines take here
      const step = await within(requestTimeout, source.next());
      if (step.done) return;
      yield step.value;
    }
  } finally {
    // an iterator that is left open keeps the rest of the body from being discarded; it may be stuck, so nothing waits
    source.return?.().catch(() => undefined);
  }
}

async function within<T>(ms: number, wait: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new VconError("VCON_INPUT_TIMEOUT", `nothing arrived for ${ms} ms`));
  }, ms);
  wait.catch(() => undefined);
  try {
    return await Promise.race([wait, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function* unpacked(packed: Readable): AsyncGenerator<Buffer> {
  // not a pipeline: that would end the connection with the archive, and the answer could not be sent
  const gunzip = packed.pipe(createGunzip());
  packed.once("error", (error) => gunzip.destroy(error));
  let size = 0;
  try {
    for await (const chunk of gunzip) {
      size += chunk.length;
      if (size > Math.max(GZIP_FREE, gunzip.bytesWritten * GZIP_RATIO)) {
        throw new VconError("VCON_INPUT_TOO_LARGE", `the gzip body unpacks to more than ${GZIP_RATIO} times its size`);
      }
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof VconError) throw cause;
    throw new VconError("VCON_INPUT_MALFORMED", "the body is not valid gzip; send it whole or unpacked", { cause });
  }
}

/** Ends the connection once the answer is out: the rest of the request is not wanted. */
export function hangUpAfter(reply: FastifyReply): void {
  reply.raw.once("finish", () => reply.raw.socket?.destroySoon());
}
