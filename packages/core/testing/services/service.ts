/** A request as a service sees it. */
export interface ServiceRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** The body as text. */
  readonly text: string;
}

/** How an outside service answers; runs in this process or behind a real port (`serve`). */
export type Service = (request: ServiceRequest) => Response | Promise<Response>;

/** Something that goes wrong instead of the usual answer. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Never answers. */
  | "hang"
  /** Begins to answer and breaks off. */
  | "cut";

/** A stand-in for an outside service that speaks its documented wire format. */
export interface FakeService {
  readonly answer: Service;
  /** What it was asked, in order. */
  readonly requests: readonly ServiceRequest[];
  /** Answers the next requests with these, one each, before it goes back to answering well. */
  fail(...faults: readonly Fault[]): void;
}

/** A fake around the way a service answers when all is well. */
export function fakeService(well: Service): FakeService {
  const requests: ServiceRequest[] = [];
  const faults: Fault[] = [];
  return {
    requests,
    fail: (...more) => void faults.push(...more),
    answer(request) {
      requests.push(request);
      const fault = faults.shift();
      return fault === undefined ? well(request) : faulty(fault);
    },
  };
}

/** The answer that is a fault. */
export function faulty(fault: Fault): Response | Promise<Response> {
  if (fault === "hang") return new Promise(() => undefined);
  if (fault === "cut") return new Response(brokenStream(), { headers: { "content-type": "application/json" } });
  const { status, headers = {}, body } = fault;
  const empty = status === 204 || status === 304 || (status >= 300 && status < 400);
  return new Response(empty ? null : (body ?? JSON.stringify({ error: { message: `said ${status}` } })), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

const brokenStream = (): ReadableStream<Uint8Array> => {
  let begun = false;
  return new ReadableStream({
    pull(controller) {
      if (begun) return controller.error(new Error("the connection broke"));
      begun = true;
      controller.enqueue(new TextEncoder().encode('{"id":'));
    },
  });
};

/** Sends each request to the first service whose pattern fits its address without the query; 404 when none does. */
export const routed =
  (...routes: readonly (readonly [pattern: RegExp, service: Service])[]): Service =>
  (request) => {
    const address = `${request.url.origin}${request.url.pathname}`;
    const found = routes.find(([pattern]) => pattern.test(address));
    return found ? found[1](request) : faulty({ status: 404 });
  };

/** A `fetch` that asks the service without any network. */
export const fetchFrom =
  (service: Service): typeof globalThis.fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const bytes = new Uint8Array(await request.arrayBuffer());
    const { method, url, headers, signal } = request;
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => aborted.reject(signal.reason), { once: true });
    aborted.promise.catch(() => undefined);
    const asked = { method, url: new URL(url), headers, bytes, text: new TextDecoder().decode(bytes) };
    return Promise.race([service(asked), aborted.promise]);
  };
