import { createServer } from "node:http";
import { VconError } from "@vcon-server/core";
import { fakeFetch, type LinkRun, manualClock, sampleVcon, testLink } from "@vcon-server/core/testing";
import { downgrade, serialize } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import webhook, { headersOf, refusal, secondsOf } from "./index.ts";

const NOW = Date.UTC(2026, 0, 2);
const answering = (status: number, headers: Record<string, string> = {}) =>
  fakeFetch(() => new Response(status === 204 || (status >= 300 && status < 400) ? null : "said", { status, headers }));
const options = { "webhook-urls": ["https://one.example/hook"] };

/** Time stands still unless a test lets it pass: no request times out by chance. */
const post = (run: LinkRun) => testLink(webhook, { clock: manualClock(), ...run });

const failure = (running: Promise<unknown>): Promise<VconError> =>
  running.then(
    () => {
      throw new Error("nothing failed");
    },
    (error: unknown) => {
      if (error instanceof VconError) return error;
      throw error;
    },
  );

test("posts the vCon as JSON to each address in order and goes on with the same vCon", async () => {
  const vcon = sampleVcon();
  const { fetch, requests } = answering(204);
  const urls = ["https://one.example/hook?x=1", "http://two.example/"];
  const outcome = await post({
    vcon,
    fetch,
    options: { "webhook-urls": urls, headers: { "X-Team": "a" }, auth_header: "Bearer abc" },
  });
  expect(outcome).toEqual({ kind: "forward", vcon });
  expect(requests.map(({ url }) => url)).toEqual(urls);
  for (const request of requests) {
    expect(request).toMatchObject({ method: "POST", body: serialize(vcon), redirect: "manual" });
    expect(request.headers).toMatchObject({
      "content-type": "application/json",
      "x-team": "a",
      authorization: "Bearer abc",
    });
  }
});

test("an older version is written when asked for", async () => {
  const vcon = sampleVcon();
  const { fetch, requests } = answering(200);
  await post({ vcon, fetch, options: { ...options, egress_format_version: "0.0.1" } });
  expect(JSON.parse(requests[0]?.body ?? "")).toEqual(JSON.parse(serialize(downgrade(vcon, "0.0.1"))));
});

test("the chain's version is written unless the link has its own", async () => {
  const vcon = sampleVcon();
  const { fetch, requests } = answering(200);
  await post({ vcon, fetch, options, egressVersion: "0.0.1" });
  expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({ vcon: "0.0.1" });
});

test.each([200, 201, 202, 204])("%i is success", async (status) => {
  expect((await post({ fetch: answering(status).fetch, options })).kind).toBe("forward");
});

test.each([408, 425, 429, 500, 502, 503, 504])("%i is tried again", async (status) => {
  const error = await failure(post({ fetch: answering(status).fetch, options }));
  expect(error).toMatchObject({ code: "VCON_LINK_FAILED", retryable: true, details: { host: "one.example", status } });
});

test.each([301, 302, 307, 400, 401, 403, 404, 410, 422])("%i is not", async (status) => {
  const { fetch, requests } = answering(status, { location: "https://elsewhere.example/" });
  const error = await failure(post({ fetch, options }));
  expect(error).toMatchObject({ code: "VCON_LINK_REFUSED", retryable: false });
  expect(requests).toHaveLength(1);
});

test("the addresses after one that fails are left for the retry", async () => {
  const { fetch, requests } = fakeFetch(({ url }) => new Response(null, { status: url.includes("one") ? 500 : 200 }));
  await failure(post({ fetch, options: { "webhook-urls": ["https://one.example/", "https://two.example/"] } }));
  expect(requests.map(({ url }) => url)).toEqual(["https://one.example/"]);
});

test("how long to wait is taken from the answer", () => {
  const wait = (header: string | undefined) =>
    refusal(
      "https://h/",
      { status: 503, headers: new Headers(header === undefined ? {} : { "retry-after": header }) },
      NOW,
    ).retryAfterSecs;
  expect(wait("120")).toBe(120);
  expect(wait("Fri, 02 Jan 2026 00:01:30 GMT")).toBe(90);
  expect(wait("Thu, 01 Jan 2026 00:00:00 GMT")).toBe(0);
  expect(wait("999999999")).toBe(3600);
  expect(wait("soon")).toBeUndefined();
  expect(wait(undefined)).toBeUndefined();
  expect(secondsOf("1.5e9", NOW) ?? 0).toBeLessThanOrEqual(3600);
});

test("a broken connection is tried again, and the reason is named", async () => {
  const { fetch } = fakeFetch(() => {
    throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 10.0.0.1:443") });
  });
  const error = await failure(post({ fetch, options }));
  expect(error).toMatchObject({ code: "VCON_LINK_FAILED", retryable: true });
  expect(error.message).toContain("one.example: connect ECONNREFUSED");
});

test("what the server's fetch refuses stays refused", async () => {
  const { fetch } = fakeFetch(() => {
    throw new VconError("VCON_LINK_REFUSED", "the address is private");
  });
  expect(await failure(post({ fetch, options }))).toMatchObject({
    code: "VCON_LINK_REFUSED",
    message: "the address is private",
  });
});

test("an address that does not answer in time is given up and tried again later", async () => {
  const clock = manualClock();
  const { fetch, requests } = fakeFetch(() => new Promise<Response>(() => undefined));
  const running = failure(post({ fetch, clock, options: { ...options, timeout_secs: 3 } }));
  await expect.poll(() => requests.length).toBe(1);
  clock.advance(2_999);
  clock.advance(1);
  expect(await running).toMatchObject({ code: "VCON_LINK_TIMEOUT", retryable: true });
});

test("a run whose signal aborts ends with the signal's reason", async () => {
  const controller = new AbortController();
  const { fetch, requests } = fakeFetch(() => new Promise<Response>(() => undefined));
  const running = post({ fetch, signal: controller.signal, clock: manualClock(), options });
  await expect.poll(() => requests.length).toBe(1);
  controller.abort(new Error("shutting down"));
  await expect(running).rejects.toThrow("shutting down");
});

test("over a real connection: an endless answer does not hold the link, and a redirect is not followed", async () => {
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url);
    request.resume();
    if (request.url === "/moved") return response.writeHead(307, { location: "/target" }).end();
    response.writeHead(200);
    return response.write("x".repeat(1000));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  const send = (path: string) =>
    post({
      fetch,
      options: { "webhook-urls": [`http://127.0.0.1:${address.port}${path}`] },
    });
  expect((await send("/endless")).kind).toBe("forward");
  expect((await failure(send("/moved"))).details).toMatchObject({ status: 307 });
  expect(paths).toEqual(["/endless", "/moved"]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("headers of the options win, whatever their case", () => {
  expect(
    headersOf({
      headers: { "CONTENT-TYPE": "application/vcon+json", Authorization: "Basic x" },
      auth_header: "Bearer y",
    }),
  ).toEqual({
    "content-type": "application/vcon+json",
    authorization: "Basic x",
    "user-agent": "vcon-server",
  });
});

test.each([
  [{}, /webhook-urls/],
  [{ "webhook-urls": [] }, /webhook-urls/],
  [{ "webhook-urls": ["ftp://x/"] }, /webhook-urls/],
  [{ "webhook-urls": ["https://user:pw@x/"] }, /auth_header/],
  [{ ...options, headers: { "bad name": "x" } }, /header name/],
  [{ ...options, headers: { a: "x\r\ny" } }, /one line/],
  [{ ...options, retry_count: 3 }, /retry_count/],
])("the options %o are refused", (given, message) => {
  expect(() => webhook.options.parse(given)).toThrow(message);
});
