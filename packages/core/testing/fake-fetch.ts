/** A `fetch` that reaches no network. */
export interface FakeFetch {
  readonly fetch: typeof globalThis.fetch;
  /** What was sent, in order; bodies as text. */
  readonly requests: readonly SentRequest[];
}

export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly redirect: Request["redirect"];
}

/**
 * A `fetch` that answers with what `respond` returns and rejects with what it throws. A request whose signal aborts is
 * rejected with the signal's reason, as the real one does, also while `respond` has not settled.
 */
export function fakeFetch(respond: (request: SentRequest) => Response | Promise<Response>): FakeFetch {
  const requests: SentRequest[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const sent = {
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
      redirect: request.redirect,
    };
    requests.push(sent);
    const aborted = Promise.withResolvers<never>();
    request.signal.addEventListener("abort", () => aborted.reject(request.signal.reason), { once: true });
    aborted.promise.catch(() => undefined);
    return Promise.race([respond(sent), aborted.promise]);
  };
  return { fetch, requests };
}

/** For links that must not use the network: every request is an error that names its address. */
export const noNetwork: typeof globalThis.fetch = async (input) => {
  throw new Error(
    `unexpected request to ${input instanceof Request ? input.url : String(input)}: pass a fetch to testLink`,
  );
};
