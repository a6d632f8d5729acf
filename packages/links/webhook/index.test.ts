import { createServer } from "node:http";
import { causesOf, type Logger, VconError } from "@vcon-server/core";
import { openNetwork } from "@vcon-server/core/network";
import {
  type Fault,
  fakeFetch,
  faulty,
  fetchFrom,
  type LinkRun,
  manualClock,
  openLink,
  routed,
  sampleVcon,
  serve,
  testLink,
} from "@vcon-server/core/testing";
import { webhookReceiver } from "@vcon-server/core/testing/services/webhook";
import { downgrade, type Json, serialize, withUpdatedAt } from "@vcon-server/vcon";
import { describe, expect, test } from "vitest";
import webhook from "./index.ts";

const SECRETS = ["one", "two"].map(
  (name) => `whsec_${Buffer.from(`secret ${name} of 24 bytes`.padEnd(24)).toString("base64")}`,
);
const options = { "webhook-urls": ["https://one.example/hook"] };
const three = { "webhook-urls": ["https://one.example/", "https://two.example/", "https://three.example/"] };
const answering = (fault: Fault) => fetchFrom(() => faulty(fault));

/** Time stands still unless a test lets it pass: no request times out by chance. */
const post = (run: LinkRun) => testLink(webhook, { clock: manualClock(), ...run });

const failure = (running: Promise<unknown>): Promise<VconError> =>
  running.then(
    () => expect.unreachable(),
    (error: unknown) => {
      if (error instanceof VconError) return error;
      throw error;
    },
  );

describe("a post", () => {
  test("carries the vCon as JSON to each address, and the link goes on with the same vCon", async () => {
    const vcon = sampleVcon();
    const { fetch, requests } = fakeFetch(() => new Response(null, { status: 204 }));
    const urls = ["https://one.example/hook?x=1", "http://two.example/", "https://one.example/hook?x=1"];
    const headers = { "X-Team": "a" };
    const outcome = await post({ vcon, fetch, options: { "webhook-urls": urls, headers, auth_header: "Bearer abc" } });
    expect(outcome).toEqual({ kind: "forward", vcon });
    // an address that is there twice is posted to once
    expect(requests.map(({ url }) => url)).toEqual(urls.slice(0, 2));
    for (const request of requests) {
      expect(request).toMatchObject({ method: "POST", body: serialize(vcon), redirect: "manual" });
      expect(request.headers).toMatchObject({
        "content-type": "application/json",
        "x-team": "a",
        authorization: "Bearer abc",
      });
      expect(request.headers).not.toHaveProperty("webhook-signature");
    }
    expect(requests[0]?.headers["webhook-id"]).not.toBe(requests[1]?.headers["webhook-id"]);
  });

  test("is signed with each secret, so that a receiver may have the old one or the new one", async () => {
    const vcon = sampleVcon({ subject: "grüße" });
    const clock = manualClock();
    for (const secret of SECRETS) {
      const receiver = webhookReceiver({ secrets: [secret], now: clock.now });
      await post({ vcon, clock, fetch: fetchFrom(receiver.answer), options: { ...options, secrets: SECRETS } });
      expect([receiver.refused, receiver.received.get(vcon.uuid)?.accepted]).toEqual([[], 1]);
      expect(receiver.requests[0]?.headers.get("webhook-signature")).toMatch(/^v1,\S{44} v1,\S{44}$/);
    }
  });

  test("has the time of its try and the id of its content", async () => {
    const vcon = sampleVcon();
    const receiver = webhookReceiver();
    const clock = manualClock(1_700_000_000_999);
    const link = await openLink(webhook, { options });
    const run = { clock, fetch: fetchFrom(receiver.answer) };
    await link.run({ ...run, vcon });
    clock.advance(86_400_000);
    await link.run({ ...run, vcon: withUpdatedAt(vcon, "2026-05-06T07:08:09Z"), attempt: 7 });
    await link.run({ ...run, vcon: { ...vcon, subject: "changed" } });
    const [first, second, third] = receiver.requests.map(({ headers }) => headers);
    expect([first, second].map((headers) => headers?.get("webhook-timestamp"))).toEqual(["1700000000", "1700086400"]);
    expect(second?.get("webhook-id")).toBe(first?.get("webhook-id"));
    expect(third?.get("webhook-id")).not.toBe(first?.get("webhook-id"));
  });

  test.each([
    ["of the link", { options: { ...options, egress_format_version: "0.0.1" } }],
    ["of the chain", { options, egressVersion: "0.0.1" as const }],
  ])("is in the version %s", async (_, run) => {
    const vcon = sampleVcon();
    const { fetch, requests } = fakeFetch(() => new Response());
    await post({ vcon, fetch, ...run });
    expect(JSON.parse(requests[0]?.body ?? "")).toEqual(JSON.parse(serialize(downgrade(vcon, "0.0.1"))));
  });
});

describe("an answer", () => {
  test.each([200, 201, 202, 204, 299])("%i is success", async (status) => {
    expect((await post({ fetch: answering({ status }), options })).kind).toBe("forward");
  });

  test.each([408, 425, 500, 502, 503, 504])("%i is tried again", async (status) => {
    const error = await failure(post({ fetch: answering({ status }), options }));
    expect(error).toMatchObject({ code: "VCON_SERVICE_DOWN", retryable: true, details: { status } });
  });

  test("429 waits as long as it asks for", async () => {
    const fetch = answering({ status: 429, headers: { "retry-after": "120" } });
    const error = await failure(post({ fetch, options }));
    expect(error).toMatchObject({ code: "VCON_SERVICE_QUOTA", retryable: true, retryAfterSecs: 120 });
  });

  test.each([301, 302, 307, 308, 400, 404, 410, 422])("%i is final, and a redirect is not followed", async (status) => {
    const { fetch, requests } = fakeFetch(() =>
      faulty({ status, headers: { location: "https://elsewhere.example/" } }),
    );
    expect(await failure(post({ fetch, options }))).toMatchObject({ code: "VCON_SERVICE_REFUSED", retryable: false });
    expect(requests).toHaveLength(1);
  });

  test.each([401, 403])("%i says which options to check", async (status) => {
    const error = await failure(post({ fetch: answering({ status }), options }));
    expect(error).toMatchObject({ code: "VCON_SERVICE_CREDENTIALS", retryable: false });
    expect(error.message).toContain("auth_header and secrets");
  });

  test.each([
    [400, "invalid_payload", "it answers 400: invalid_payload; check webhook-urls"],
    [404, "no_service", "it answers 404: no_service; check webhook-urls"],
    [413, "", "it answers 413; the vCon is too large for it"],
    [
      413,
      "<html><head><title>413 Request Entity Too Large</title></head>…",
      "413: 413 Request Entity Too Large; the vCon",
    ],
    [
      422,
      '{"detail":[{"loc":["body","uuid"],"msg":"Field required","input":{"tel":"+1202"}}]}',
      ": body.uuid: Field required; ",
    ],
    [400, '{"error":{"code":"bad_field","message":"no such field"}}', "it answers 400: no such field; "],
    [400, '{"errors":[{"message":"one"},{"message":"two"}]}', "it answers 400: one; two; "],
    [400, '"just a text"', "it answers 400: just a text; "],
    [400, '{"type":"about:blank","title":"Bad","detail":"uuid is\\n missing"}', "it answers 400: uuid is missing; "],
    [400, '{"vcon":{"subject":"private"}}', "it answers 400; check"],
    [400, '{"cut":"off', "it answers 400; check"],
    [503, "maintenance until 8", "it answers 503: maintenance until 8; it is tried again"],
    [429, "slow down", "it answers 429: slow down; "],
    [401, "bad signature", "it answers 401: bad signature; check"],
  ])("%i that says %s is told as it is", async (status, body, told) => {
    const error = await failure(post({ fetch: answering({ status, body }), options }));
    expect(error.message).toContain(told);
    expect(error.message).not.toMatch(/private|1202/);
  });

  test("that repeats secrets is told without them, and a long one only begins", async () => {
    const secret = SECRETS[0] ?? "";
    const setting = {
      "webhook-urls": ["https://one.example/services/T0001/B00012/tokentoken?key=querysecret&x=1"],
      headers: { "X-Api-Key": "headersecret", "X-Team": "a" },
      auth_header: "Bearer authsecret",
      secrets: [secret],
    };
    const shown = [
      "no key headersecret or authsecret at /services/T0001/B00012/tokentoken, not even with querysecret",
      `signed by ${secret}: ${secret.slice(6)}; see https://elsewhere.example/tokens/1 or Basic dXNlcjpwYXNz`,
    ].join(" ");
    const error = await failure(
      post({ fetch: answering({ status: 400, body: `${shown} ${"long ".repeat(100)}` }), options: setting }),
    );
    expect(error.message).toContain("no key *** or *** at ***, not even with ***");
    expect(error.message).not.toMatch(/secret\b|B00012|tokentoken|whsec|elsewhere|dXNlcj/);
    expect(error.message.length).toBeLessThan(450);
    for (const cause of causesOf(error)) expect(cause).not.toMatch(/authsecret|tokentoken/);
  });

  test("that does not come in time is given up and tried again later", async () => {
    const clock = manualClock();
    const { fetch, requests } = fakeFetch(() => new Promise<Response>(() => undefined));
    const running = failure(post({ fetch, clock, options: { ...options, timeout_secs: 3 } }));
    await expect.poll(() => requests.length).toBe(1);
    clock.advance(3_000);
    expect(await running).toMatchObject({ code: "VCON_SERVICE_TIMEOUT", retryable: true });
  });

  test("that cannot come says why", async () => {
    const { fetch } = fakeFetch(() => {
      throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 10.0.0.1:443") });
    });
    const error = await failure(post({ fetch, options }));
    expect(error).toMatchObject({ code: "VCON_SERVICE_DOWN", retryable: true });
    expect(error.message).toContain("posting to one.example: connect ECONNREFUSED");
  });
});

describe("several addresses", () => {
  const answers = (faults: Readonly<Record<string, Fault>>) => {
    const asked: string[] = [];
    const routes = Object.entries(faults).map(([host, fault]) => [new RegExp(host), () => faulty(fault)] as const);
    const fetch = fetchFrom((request) => {
      asked.push(request.url.hostname);
      return routed(...routes, [/./, () => new Response()])(request);
    });
    return { fetch, asked };
  };

  test("do not wait for each other: one that hangs holds nobody up", async () => {
    const clock = manualClock();
    const { fetch, asked } = answers({ one: "hang" });
    const notes: Json[] = [];
    const running = failure(post({ fetch, clock, options: three, note: (memo) => notes.push(memo) }));
    await expect.poll(() => notes.length).toBe(2);
    clock.advance(30_000);
    expect((await running).message).toMatch(/^posting to one\.example: no answer within 30 s/);
    expect(asked).toHaveLength(3);
  });

  test("of which one failed: the retry posts to that one alone, with the same id, also in another process", async () => {
    const vcon = sampleVcon();
    const receiver = webhookReceiver();
    receiver.fail({ status: 503 });
    const run = { vcon, fetch: fetchFrom(receiver.answer), options: three };
    let memo: Json | undefined;
    await failure(post({ ...run, note: (noted) => (memo = noted) }));
    expect(receiver.requests).toHaveLength(3);
    const again = JSON.parse(JSON.stringify(memo));
    expect((await post({ ...run, memo: again, attempt: 2 })).kind).toBe("forward");
    const asked = receiver.requests.map(({ url, headers }) => `${url.hostname} ${headers.get("webhook-id")}`);
    expect(asked).toHaveLength(4);
    expect(asked[3]).toBe(asked[0]);
    expect(receiver.received.get(vcon.uuid)?.accepted).toBe(3);
  });

  test("get new content even if they had the old one, and a memo of something else is no memo", async () => {
    const { fetch, asked } = answers({});
    const vcon = sampleVcon();
    let memo: Json | undefined;
    await post({ vcon, fetch, options, note: (noted) => (memo = noted) });
    await post({ vcon: { ...vcon, subject: "changed" }, fetch, options, ...(memo !== undefined && { memo }) });
    for (const other of ["text", { delivered: "x" }, { delivered: [1] }, null, []])
      await post({ vcon, fetch, options, memo: other });
    expect(asked).toHaveLength(7);
  });

  test("are tried again as long as one of them is worth it, at the latest time any asked for", async () => {
    const wait = (status: number, secs: string) => ({ status, headers: { "retry-after": secs } });
    const { fetch } = answers({ one: wait(404, "900"), two: wait(429, "30"), three: wait(503, "7") });
    const error = await failure(post({ fetch, options: three }));
    expect(error).toMatchObject({ code: "VCON_SERVICE_DOWN", retryable: true, retryAfterSecs: 30 });
    for (const host of ["one", "two", "three"]) expect(error.message).toContain(`posting to ${host}.example`);
  });

  test("of which none is worth another try fail for good; one that only asks for patience does not use up tries", async () => {
    const final = await failure(
      post({ fetch: answers({ one: { status: 404 }, two: { status: 401 } }).fetch, options: three }),
    );
    expect(final.retryable).toBe(false);
    const patient = answers({ one: { status: 404 }, two: { status: 429 } });
    expect(await failure(post({ fetch: patient.fetch, options: three }))).toMatchObject({ code: "VCON_SERVICE_QUOTA" });
  });
});

test("a run whose signal aborts ends with the signal's reason, and remembers whom it reached", async () => {
  const controller = new AbortController();
  const { fetch } = fakeFetch(({ url }) =>
    url.includes("two") ? new Promise<Response>(() => undefined) : new Response(),
  );
  const notes: Json[] = [];
  const running = post({ fetch, signal: controller.signal, options: three, note: (memo) => notes.push(memo) });
  await expect.poll(() => notes.length).toBe(2);
  controller.abort(new Error("shutting down"));
  await expect(running).rejects.toThrow("shutting down");
  expect(notes[1]).toMatchObject({ delivered: [expect.any(String), expect.any(String)] });
});

test("what is secret appears in no message, cause or log line", async () => {
  const lines: string[] = [];
  const write = (message: string, fields?: unknown) => void lines.push(message, JSON.stringify(fields ?? {}));
  const log: Logger = { debug: write, info: write, warn: write, error: write };
  // what a receiver says is told, but not what it repeats of the request
  const said = "no canary-header, canary-auth for /canary-path?token=canary-query and canary-too at http://x/canary";
  const canary = `whsec_${Buffer.from("canary".padEnd(32, ".")).toString("base64")}`;
  const secretive = {
    "webhook-urls": ["https://one.example/canary-path?token=canary-query", "https://two.example/canary-too#canary"],
    headers: { "x-key": "canary-header" },
    auth_header: "Bearer canary-auth",
    secrets: [canary],
  };
  const network = openNetwork();
  const failing: readonly (typeof fetch)[] = [
    ...[200, 307, 401, 404, 429, 503].map((status) =>
      answering({ status, headers: { location: "https://x/canary" }, body: said }),
    ),
    answering("cut"),
    fakeFetch(() => {
      throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 10.0.0.1:443") });
    }).fetch,
    network.fetchFor([]),
  ];
  const local = { "webhook-urls": ["http://127.0.0.1/canary?canary", "http://[::1]/canary"] };
  for (const fetch of failing)
    for (const urls of [{}, local]) {
      const error: unknown = await post({ fetch, log, options: { ...secretive, ...urls } }).catch((reason) => reason);
      lines.push(...causesOf(error), JSON.stringify(error));
      if (error instanceof AggregateError) lines.push(...error.errors.map(String));
    }
  await network.close();
  expect(lines.length).toBeGreaterThan(30);
  expect(lines.filter((line) => line.includes("canary") || line.includes(canary.slice(6)))).toEqual([]);
});

describe("over real connections", () => {
  test("a private address is refused for good, and says how to allow it; once allowed it is reached", async () => {
    const receiver = webhookReceiver({ secrets: SECRETS });
    const served = await serve(receiver.answer);
    const run = { options: { "webhook-urls": [`${served.url}/hook`], secrets: SECRETS } };
    const [closed, allowed] = [openNetwork(), openNetwork(["127.0.0.0/8"])];
    const real = { now: Date.now, sleep: manualClock().sleep };
    const error = await failure(post({ ...run, clock: real, fetch: closed.fetchFor([]) }));
    expect(error).toMatchObject({ code: "VCON_ADDRESS_REFUSED", retryable: false });
    expect(error.message).toContain("CONSERVER_ALLOWED_NETWORKS");
    expect((await post({ ...run, clock: real, fetch: allowed.fetchFor([]) })).kind).toBe("forward");
    expect([receiver.refused, receiver.requests.length]).toEqual([[], 1]);
    await Promise.all([closed.close(), allowed.close(), served.close()]);
  });

  test("a short answer leaves its connection to the next post; an endless one holds nobody up", async () => {
    const clock = manualClock();
    let connections = 0;
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200);
      response.flushHeaders();
      if (request.url === "/endless") return response.write("x".repeat(1_000));
      return setTimeout(() => response.end("thank you"), 10);
    });
    server.on("connection", () => connections++);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no address");
    const network = openNetwork(["127.0.0.0/8"]);
    const send = (path: string) =>
      post({
        clock,
        fetch: network.fetchFor([]),
        options: { "webhook-urls": [`http://127.0.0.1:${address.port}${path}`] },
      });
    for (let at = 0; at < 10; at++) await send("/short");
    // a second one when a post comes before the first connection has finished with its last
    expect(connections).toBeLessThanOrEqual(2);
    const endless = send("/endless");
    const ticking = setInterval(() => clock.advance(100), 1);
    expect((await endless).kind).toBe("forward");
    clearInterval(ticking);
    await network.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
