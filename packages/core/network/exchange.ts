import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { type Dispatcher, FormData as FormBody } from "undici";

/** A request that nothing is to be guessed about any more. */
export interface Exchange {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: SentBody;
  readonly signal: AbortSignal | undefined;
}

export type SentBody = Exclude<Dispatcher.DispatchOptions["body"], undefined>;

const NO_BODY: readonly number[] = [101, 204, 205, 304];

/**
 * One request and its answer, redirects not followed. The built-in `fetch` on the same connections costs three times the
 * time and twice the memory of a request that waits, and thousands of them wait.
 */
export async function exchange(dispatcher: Dispatcher, { url, method, headers, body, signal }: Exchange) {
  signal?.throwIfAborted();
  const answer = await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: method as Dispatcher.HttpMethod,
    headers: Object.fromEntries(headers),
    body,
    ...(signal && { signal }),
  });
  const { statusCode: status, statusText } = answer;
  const received = headersOf(answer.headers);
  const none = NO_BODY.includes(status) || method === "HEAD" || received.get("content-length") === "0";
  // what is not there is read to its end, so that the connection serves the next request
  if (none) await answer.body.dump();
  const stream = none ? null : webStream(decoded(answer.body, received));
  return withUrl(new Response(stream, { status, statusText, headers: received }), url);
}

/** `ReadableStream.from` alone would not end a stream that is cancelled before it is read. */
function webStream(body: Readable): ReadableStream<Uint8Array> {
  const parts: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      // what ends it now is nobody's error
      cancel: () => void body.on("error", () => undefined).destroy(),
    },
    { highWaterMark: 0 },
  );
}

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** The content itself: nothing compressed is asked for, yet some send it. */
function decoded(body: Readable, headers: Headers): Readable {
  const decoder = DECODERS[headers.get("content-encoding")?.trim().toLowerCase() ?? ""];
  if (!decoder) return body;
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  // an error of either ends the last one, which is read
  return pipeline(body, decoder(), () => undefined);
}

function headersOf(given: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) for (const one of [value ?? []].flat()) headers.append(name, one);
  return headers;
}

function withUrl(response: Response, url: URL): Response {
  const shown = new URL(url);
  shown.hash = "";
  return Object.defineProperty(response, "url", { value: shown.href });
}

/** The body as it goes over the wire; `headers` get its type where none is given, and its length where that is known. */
export function sentBody(body: RequestInit["body"], headers: Headers): SentBody {
  const typed = (type: string) => {
    if (type !== "" && !headers.has("content-type")) headers.set("content-type", type);
  };
  if (body === undefined || body === null) return null;
  if (typeof body === "string" || body instanceof URLSearchParams) {
    typed(typeof body === "string" ? "text/plain;charset=UTF-8" : "application/x-www-form-urlencoded;charset=UTF-8");
    return String(body);
  }
  if (body instanceof FormData) return formBody(body);
  if (body instanceof Blob) {
    typed(body.type);
    headers.set("content-length", String(body.size));
    return Readable.from(body.stream());
  }
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  return body instanceof ArrayBuffer ? new Uint8Array(body) : Readable.from(body);
}

function formBody(form: FormData): FormBody {
  const body = new FormBody();
  for (const [name, value] of form) {
    if (typeof value === "string") body.append(name, value);
    else body.append(name, value, value.name);
  }
  return body;
}
