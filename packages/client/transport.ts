import { ClientError, errorOf } from "./client-error.ts";

export interface TransportOptions {
  readonly url: string;
  readonly token?: string;
  readonly header?: string;
  readonly fetch?: typeof globalThis.fetch;
  readonly timeoutMs?: number;
}

export interface Request {
  /** What is being done, for messages: "fetching vCon 0190…". */
  readonly doing: string;
  readonly method?: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer begins; streams have none. */
  readonly timeoutMs?: number | undefined;
}

export type Transport = (request: Request) => Promise<Response>;

const TIMEOUT_MS = 60_000;

/** Sends requests to one server and turns everything but success into a `ClientError`. */
export function createTransport(options: TransportOptions): Transport {
  const base = baseOf(options.url);
  const fetch = options.fetch ?? globalThis.fetch;
  return async (request) => {
    const limit = "timeoutMs" in request ? request.timeoutMs : (options.timeoutMs ?? TIMEOUT_MS);
    const signals = [request.signal, limit === undefined ? undefined : AbortSignal.timeout(limit)];
    const headers = {
      ...request.headers,
      ...(options.token ? { [options.header ?? "x-conserver-api-token"]: options.token } : {}),
    };
    const body = request.body === undefined ? {} : { body: request.body, duplex: "half" as const };
    const url = `${base}${request.path}${queryOf(request.query)}`;
    const init = {
      method: request.method ?? "GET",
      headers: Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
      signal: AbortSignal.any(signals.filter((signal) => signal !== undefined)),
      redirect: "manual" as const,
      ...body,
    };
    const response = await fetch(url, init).catch((error: unknown) => {
      throw failure(`${request.doing} at ${base}`, error, request.signal);
    });
    if (response.ok) return response;
    throw errorOf(request.doing, response, await textOf(response, request.doing));
  };
}

/** The body of an answer; a connection that breaks in the middle of it is a `ClientError` as well. */
export async function textOf(response: Response, doing: string): Promise<string> {
  return response.text().catch((error: unknown) => {
    throw failure(doing, error, undefined);
  });
}

/** What a failed `fetch` or a broken body stands for. */
export function failure(doing: string, error: unknown, aborted: AbortSignal | undefined): ClientError {
  if (aborted?.aborted) return new ClientError("CLIENT_ABORTED", `${doing}: aborted`, { cause: error });
  if (error instanceof Error && error.name === "TimeoutError") {
    return new ClientError("CLIENT_TIMEOUT", `${doing}: no answer in time`, { cause: error });
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason =
    cause instanceof Error ? cause.message || ("code" in cause ? String(cause.code) : cause.name) : String(cause);
  return new ClientError("CLIENT_UNREACHABLE", `${doing}: the server cannot be reached (${reason})`, { cause: error });
}

function baseOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError(`the address of a vCon Server looks like http://127.0.0.1:8000, not ${JSON.stringify(url)}`);
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
}

function queryOf(query: Request["query"] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(name, String(one));
  }
  return search.size === 0 ? "" : `?${search}`;
}
