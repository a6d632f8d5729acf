import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chain, json, startGateway, type TestGateway } from "../testing/gateway.ts";
import { FREE_TRIES } from "./wrong-tokens.ts";

const TOKEN = "main-token-1";
const uuid = randomUUID();

/** Every route that needs a main token: those of the original refuse with 403, the new ones with 401. */
const GUARDED: readonly [method: string, path: string, status: 401 | 403][] = [
  ["GET", "/stats/queue?list_name=a", 403],
  ["GET", "/vcon", 403],
  ["GET", "/vcon/egress?egress_list=a", 403],
  ["GET", `/vcon/${uuid}`, 403],
  ["GET", "/vcons", 403],
  ["GET", "/vcons/search?tel=1", 403],
  ["POST", "/vcon", 403],
  ["DELETE", `/vcon/${uuid}`, 403],
  ["POST", "/vcon/ingress?ingress_list=a", 403],
  ["GET", "/vcon/count?egress_list=a", 403],
  ["GET", "/config", 403],
  ["POST", "/config", 403],
  ["POST", "/dlq/reprocess?ingress_list=a", 403],
  ["GET", "/dlq?ingress_list=a", 403],
  ["GET", "/index_vcons", 403],
  ["PUT", `/vcon/${uuid}`, 401],
  ["PATCH", `/vcon/${uuid}`, 401],
  ["POST", "/vcons", 401],
  ["POST", "/chain/main/ingress", 401],
  ["GET", "/chain/main/egress", 401],
  ["GET", `/vcon/${uuid}/findings`, 401],
  ["GET", `/vcon/${uuid}/deliveries`, 401],
  ["GET", "/stranded", 401],
  ["POST", "/stranded/move?list=gone_ingress&to=main", 401],
];

/** Puts an hour between two requests of these tests, so that no client is told to wait after wrong tokens. */
function slowTime(): () => number {
  let time = Date.parse("2026-01-02T03:04:05Z");
  return () => (time += 3_600_000);
}

describe("main tokens", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    const settings = { apiTokens: [TOKEN, "main-token-2"], headerName: "x-conserver-api-token" };
    gateway = await startGateway({ settings, plan: { chains: [chain("main")] }, now: slowTime() });
  });
  afterAll(() => gateway.close());

  test.each(GUARDED)("%s %s is refused without a known token, with %i", async (method, path, status) => {
    for (const headers of [
      {},
      { "x-conserver-api-token": "" },
      { "x-conserver-api-token": "wrong" },
      { "x-conserver-api-token": `${TOKEN} x` },
      { authorization: "Bearer wrong" },
      { authorization: `Basic ${TOKEN}` },
    ]) {
      const response = await gateway.call(path, { method, headers });
      expect([headers, response.status]).toEqual([headers, status]);
      if (status === 403)
        expect(await response.json()).toMatchObject({ detail: "Invalid API Key", code: "VCON_AUTH_REFUSED" });
      else
        expect([response.headers.get("www-authenticate"), (await json(response))["code"]]).toEqual([
          'Bearer realm="vcon-server"',
          "VCON_AUTH_REQUIRED",
        ]);
    }
  });

  test.each(GUARDED)("%s %s goes on with any known token, in either header", async (method, path) => {
    for (const headers of [
      { "x-conserver-api-token": TOKEN },
      { "X-Conserver-API-Token": "main-token-2" },
      { authorization: `Bearer ${TOKEN}` },
      { authorization: `bearer  ${TOKEN}` },
    ]) {
      expect([401, 403]).not.toContain((await gateway.call(path, { method, headers })).status);
    }
  });

  test("the list above is complete: every route of the OpenAPI document is guarded or known to be public", async () => {
    const PUBLIC = ["/version", "/health", "/health/live", "/health/ready"];
    const document = await json(await gateway.call("/openapi.json"));
    const operations = Object.entries(document["paths"] ?? {}).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const guarded = GUARDED.map(
      ([method, path]) =>
        `${method} ${path.split("?")[0]?.replace(uuid, "{vcon_uuid}").replace("/chain/main/", "/chain/{name}/")}`,
    );
    expect(operations.toSorted()).toEqual(
      [...guarded, ...PUBLIC.map((path) => `GET ${path}`), "POST /vcon/external-ingress"].toSorted(),
    );
    for (const path of [...PUBLIC, "/openapi.json", "/docs/"]) expect((await gateway.call(path)).status).toBe(200);
  });

  test("refusal comes before the body is looked at, with and without the root path", async () => {
    for (const path of ["/vcon", "/api/vcon", "/api/vcon/"]) {
      expect((await gateway.send("POST", path, "{ not json")).status).toBe(403);
    }
  });
});

test("without tokens the gateway is open: it listens on the loopback only then", async () => {
  const gateway = await startGateway();
  expect((await gateway.call("/vcon")).status).toBe(200);
  await gateway.close();
});

describe("partners", () => {
  let gateway: TestGateway;
  const ingressAuth = new Map([
    ["partner", ["key-a", "key-b"]],
    ["other", ["key-c"]],
    ["nobody", []],
  ]);
  beforeAll(async () => {
    gateway = await startGateway({ settings: { apiTokens: [TOKEN] }, plan: { ingressAuth } });
  });
  afterAll(() => gateway.close());

  const submit = (body: unknown, query: string, key?: string) =>
    gateway.send(
      "POST",
      `/vcon/external-ingress${query}`,
      body,
      key === undefined ? {} : { "x-conserver-api-token": key },
    );

  test.each<readonly [query: string, key: string | undefined, detail: string]>([
    ["?ingress_list=partner", undefined, "API Key required"],
    ["?ingress_list=partner", "", "API Key required"],
    ["", undefined, "API Key required"],
    ["?ingress_list=unknown", "key-a", "Ingress list 'unknown' not configured"],
    ["?ingress_list=partner", "wrong", "Invalid API Key for ingress list 'partner'"],
    ["?ingress_list=partner", "key-c", "Invalid API Key for ingress list 'partner'"],
    ["?ingress_list=partner", TOKEN, "Invalid API Key for ingress list 'partner'"],
    ["?ingress_list=nobody", "key-a", "Invalid API Key for ingress list 'nobody'"],
  ])("%s with key %s is 403: %s", async (query, key, detail) => {
    const response = await submit("{ not json", query, key);
    expect([response.status, (await json(response))["detail"]]).toEqual([403, detail]);
  });

  test("a key of the list stores and queues, on that list only, with nothing in the answer", async () => {
    const vcon = sampleVcon();
    const response = await submit(vcon, "?ingress_list=partner", "key-b");
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(await gateway.backend.peek("partner", 0, 10)).toContain(vcon.uuid);
    expect((await gateway.call("/vcon", { headers: { "x-conserver-api-token": "key-b" } })).status).toBe(403);
  });

  test("several lists at once, or none, get past no check", async () => {
    expect((await submit(sampleVcon(), "?ingress_list=other&ingress_list=partner", "key-a")).status).toBe(422);
    expect((await submit(sampleVcon(), "", "key-a")).status).toBe(422);
    expect(await gateway.backend.depths(["other"])).toEqual([0]);
  });

  test("a body for no list is not asked for: its key cannot be told to be right", async () => {
    const headers = {
      "x-conserver-api-token": "guess",
      "content-type": "application/json",
      "content-length": 1_000_000,
    };
    const options = { method: "POST", headers: { ...headers, expect: "100-continue" } };
    const sent = request(`${gateway.url}/vcon/external-ingress`, options);
    const asked = once(sent, "continue").then(() => "asked for the body");
    const answered = once(sent, "response").then(([response]) => response.statusCode);
    expect(await Promise.race([asked, answered])).toBe(422);
    sent.on("error", () => undefined).destroy();
  });

  test("what is no vCon is 422 once the key is right", async () => {
    expect((await submit({ parties: 1 }, "?ingress_list=partner", "key-a")).status).toBe(422);
  });
});

test("without any ingress keys partners are told so", async () => {
  const gateway = await startGateway();
  const response = await gateway.send("POST", "/vcon/external-ingress?ingress_list=a", sampleVcon(), {
    "x-conserver-api-token": "k",
  });
  expect([response.status, (await json(response))["detail"]]).toEqual([403, "No ingress authentication configured"]);
  await gateway.close();
});

describe("wrong tokens", () => {
  const settings = { apiTokens: [TOKEN], requestTimeout: 60_000 };
  const ingressAuth = new Map([["partner", ["key-a"]]]);

  test("beyond the free ones are 429 with a time to wait; the right token passes; the log has one line", async () => {
    const gateway = await startGateway({ settings, plan: { ingressAuth } });
    const ask = (key: string) => gateway.call("/vcon", { headers: { "x-conserver-api-token": key } });
    for (let at = 0; at <= FREE_TRIES; at++) expect((await ask(`wrong-${at}`)).status).toBe(403);
    const throttled = await ask("wrong");
    expect([throttled.status, (await json(throttled))["code"]]).toEqual([429, "VCON_AUTH_THROTTLED"]);
    expect(Number(throttled.headers.get("retry-after"))).toBeGreaterThan(0);
    const partner = (key: string) =>
      gateway.send("POST", "/vcon/external-ingress?ingress_list=partner", sampleVcon(), {
        "x-conserver-api-token": key,
      });
    expect((await partner("wrong")).status).toBe(429);
    expect((await partner("key-a")).status).toBe(204);
    expect((await ask(TOKEN)).status).toBe(200);
    expect((await gateway.call("/vcon")).status).toBe(403);
    expect(gateway.log.filter(({ message }) => message.includes("wrong token"))).toMatchObject([
      { level: "warn", fields: { address: "127.0.0.1" } },
    ]);
    await gateway.close();
  });

  test("a refused client is answered at once and does not keep the connection with a slow body", async () => {
    const gateway = await startGateway({ settings: { ...settings, requestTimeout: 100 } });
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
    socket.setEncoding("utf8");
    let answer = "";
    socket.on("data", (chunk: string) => {
      answer += chunk;
    });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(
      "POST /vcon HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    );
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*connection: close/i);
    await gateway.close();
  });
});
