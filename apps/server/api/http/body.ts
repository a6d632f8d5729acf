import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { gunzip as gunzipCallback } from "node:zlib";
import { VconError } from "@vcon-server/core";
import type { FastifyRequest } from "fastify";

const gunzip = promisify(gunzipCallback);

/** Media types that carry one JSON document. */
export const JSON_TYPES = ["application/json", "application/vcon", "application/vcon+json"];
export const GZIP_TYPE = "application/vcon+gzip";

/** Beyond this many bytes, a body that grows more than so many times when unpacked is taken for a bomb. */
export const GZIP_RATIO = 250;
export const GZIP_FREE = 1024 * 1024;

export interface BodyLimits {
  readonly maxBytes: number;
  /** Milliseconds for the whole body to arrive. */
  readonly timeout: number;
}

/** The media type of a request without parameters, lower case; empty when none is given. */
export const mediaType = (request: FastifyRequest): string =>
  (request.headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();

/** How the body is packed. Other encodings than gzip are refused. */
export function encodingOf(request: FastifyRequest): "gzip" | "identity" {
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "gzip" || encoding === "x-gzip") return "gzip";
  if (encoding === "identity" || encoding === "") return "identity";
  throw new VconError(
    "VCON_INPUT_MEDIATYPE",
    `the content encoding ${JSON.stringify(encoding)} is not supported; send gzip or none`,
  );
}

/** Refuses a media type the route does not take. None at all counts as JSON, as in the original. */
export function checkMediaType(request: FastifyRequest): void {
  const type = mediaType(request);
  const { accepts, streamed } = request.routeOptions.config;
  const taken = [...(streamed ? [] : [...JSON_TYPES, GZIP_TYPE]), ...(accepts ?? [])];
  if (type === "" || taken.includes(type)) return;
  throw new VconError(
    "VCON_INPUT_MEDIATYPE",
    `the media type ${JSON.stringify(type.slice(0, 100))} is not taken here; send ${taken.join(" or ")}`,
  );
}

/** The bytes of a request body, unpacked. */
export async function readBody(request: FastifyRequest, payload: Readable, limits: BodyLimits): Promise<Buffer> {
  const encoding = encodingOf(request);
  const body = await collect(payload, limits);
  const packed = encoding === "gzip" || mediaType(request) === GZIP_TYPE || (body[0] === 0x1f && body[1] === 0x8b);
  return packed ? unpack(body, limits.maxBytes) : body;
}

export const tooLarge = (maxBytes: number): VconError =>
  new VconError("VCON_INPUT_TOO_LARGE", `the request body is larger than ${maxBytes} bytes (CONSERVER_MAX_BODY_BYTES)`);

/** How far a packed body of this size may grow. */
export const unpackedLimit = (packed: number, maxBytes: number): number =>
  Math.min(maxBytes, Math.max(GZIP_FREE, packed * GZIP_RATIO));

async function unpack(body: Buffer, maxBytes: number): Promise<Buffer> {
  const maxOutputLength = unpackedLimit(body.length, maxBytes);
  try {
    return await gunzip(body, { maxOutputLength });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE") {
      throw new VconError(
        "VCON_INPUT_TOO_LARGE",
        `the gzip body unpacks to more than ${maxOutputLength} bytes; limits are CONSERVER_MAX_BODY_BYTES and ${GZIP_RATIO} times its packed size`,
        { cause },
      );
    }
    throw new VconError("VCON_INPUT_MALFORMED", "the body is not valid gzip; send it whole or unpacked", { cause });
  }
}

/** Reads to the end, at most `maxBytes` and `timeout`. The stream stays open on failure, so that an answer can be sent. */
function collect(payload: Readable, { maxBytes, timeout }: BodyLimits): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) settle(() => reject(tooLarge(maxBytes)));
    else chunks.push(chunk);
  };
  const onEnd = () => settle(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)));
  const onLost = (cause?: Error) =>
    settle(() =>
      reject(new VconError("VCON_INPUT_MALFORMED", "the connection ended before the request body did", { cause })),
    );
  const timer = setTimeout(() => {
    settle(() => reject(new VconError("VCON_INPUT_TIMEOUT", `the request body did not arrive within ${timeout} ms`)));
  }, timeout);
  const settle = (outcome: () => void) => {
    clearTimeout(timer);
    payload.off("data", onData).off("end", onEnd).off("close", onLost);
    outcome();
  };
  payload.on("data", onData).on("end", onEnd).on("close", onLost);
  // stays for good: an error after the outcome must not end the process
  payload.on("error", onLost);
  return promise;
}
