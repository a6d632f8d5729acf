import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chain, startGateway, type TestGateway } from "../testing/gateway.ts";

type Headers = Readonly<Record<string, string>>;

/** Headers that a page in a browser sends, and no client on this machine. */
const FOREIGN: readonly (readonly [who: string, headers: Headers])[] = [
  ["a page whose name was made to resolve to this machine", { host: "evil.example:8000" }],
  ["such a page, by a name that looks local", { host: "localhost.evil.example" }],
  ["such a page, by an address in the name", { host: "127.0.0.1.evil.example:8000" }],
  ["a page reached over the network", { host: "192.168.1.7:8000" }],
  ["a malformed host", { host: "local host" }],
  ["a page of another origin", { origin: "https://evil.example" }],
  ["a page of another port of this machine", { origin: "http://localhost:3000" }],
  ["a sandboxed page or a file", { origin: "null" }],
  ["an image of a page elsewhere", { "sec-fetch-site": "cross-site" }],
  ["an image of a page of another port", { "sec-fetch-site": "same-site" }],
  ["a value of another standard", { "sec-fetch-site": "unheard-of" }],
];

/** Clients that must go on working. */
const OWN: readonly (readonly [who: string, headers: Headers])[] = [
  ["curl", {}],
  ["a client by name", { host: "localhost:8000" }],
  ["a client by name with a final dot", { host: "LOCALHOST.:8000" }],
  ["a client by IPv6 address", { host: "[::1]:8000" }],
  ["a client by another loopback address", { host: "127.0.0.2" }],
  ["a client by a name beneath localhost", { host: "vcon.localhost:8000" }],
  ["the documentation page", { "sec-fetch-site": "same-origin", origin: "http://localhost:8000" }],
  ["a page of the server in an older browser", { host: "localhost:8000", origin: "http://localhost:8000" }],
  ["a listed origin", { origin: "https://ui.example", "sec-fetch-site": "cross-site" }],
  ["a listed origin behind a proxy that keeps the name", { host: "ui.example", "sec-fetch-site": "same-origin" }],
];

describe("without a token", () => {
  let gateway: TestGateway;
  const stored = sampleVcon();
  beforeAll(async () => {
    gateway = await startGateway({
      settings: { corsOrigins: ["*", "https://ui.example"] },
      plan: { chains: [chain("main")] },
    });
    expect((await gateway.send("POST", "/vcon?ingress_lists=main_egress", stored)).status).toBe(201);
  });
  afterAll(() => gateway.close());

  const ask = (method: "GET" | "POST" | "DELETE", url: string, headers: Headers, payload?: string) =>
    gateway.app.inject({ method, url, headers: { ...headers }, ...(payload !== undefined && { payload }) });

  test.each(FOREIGN)("%s changes and reads nothing", async (_who, headers) => {
    const json = { ...headers, "content-type": "application/json" };
    const answers = await Promise.all([
      ask("GET", `/vcon/${stored.uuid}`, headers),
      ask("GET", "/api/vcon/egress?egress_list=main_egress", headers),
      ask("GET", "/chain/main/egress", headers),
      ask("GET", "/config", headers),
      ask("POST", "/vcon", json, JSON.stringify(sampleVcon())),
      ask("POST", "/dlq/reprocess?ingress_list=main_ingress", headers),
      ask("DELETE", `/vcon/${stored.uuid}`, headers),
    ]);
    for (const answer of answers) {
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([403, "VCON_PAGE_REFUSED"]);
      expect(answer.json<{ detail: string }>().detail).toMatch(/CONSERVER_API_TOKEN.*CONSERVER_CORS_ORIGINS/);
    }
    expect(await gateway.backend.list({ offset: 0, limit: 10 })).toEqual([stored.uuid]);
    expect(await gateway.backend.peek("main_egress", 0, 10)).toEqual([stored.uuid]);
  });

  test.each(OWN)("%s is answered", async (_who, headers) => {
    expect((await ask("GET", `/vcon/${stored.uuid}`, headers)).statusCode).toBe(200);
    const json = { ...headers, "content-type": "application/json" };
    expect((await ask("POST", "/vcon", json, JSON.stringify(stored))).statusCode).toBe(201);
  });

  test("the address bar reads and changes nothing: a link from outside of the browser looks the same", async () => {
    const headers = { "sec-fetch-site": "none" };
    expect((await ask("GET", `/vcon/${stored.uuid}`, headers)).statusCode).toBe(200);
    for (const answer of [
      await ask("GET", "/api/vcon/egress?egress_list=main_egress", headers),
      await ask("GET", "/chain/main/egress", headers),
      await ask("DELETE", `/vcon/${stored.uuid}`, headers),
    ])
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([403, "VCON_PAGE_REFUSED"]);
    expect(await gateway.backend.peek("main_egress", 0, 10)).toEqual([stored.uuid]);
  });

  test("many refusals are one line of the log", () => {
    const lines = gateway.log.filter(({ message }) => message.includes("page in a browser"));
    expect(lines).toMatchObject([{ level: "warn", fields: { error: { code: "VCON_PAGE_REFUSED" } } }]);
  });

  test("a body needs a media type, since a page may send one without it anywhere", async () => {
    const answer = await ask("POST", "/vcon", {}, JSON.stringify(sampleVcon()));
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([415, "VCON_INPUT_MEDIATYPE"]);
    expect(answer.json<{ detail: string }>().detail).toContain("application/json");
    expect((await ask("POST", "/dlq/reprocess?ingress_list=main_ingress", {})).statusCode).toBe(200);
  });

  test("probes are answered whatever they call the server", async () => {
    expect((await ask("GET", "/health/live", { host: "probe.example" })).statusCode).toBe(200);
  });
});

test("with a token nothing of it is needed: a page does not know it", async () => {
  const gateway = await startGateway({ settings: { apiTokens: ["secret"] } });
  const headers = { host: "vcon.example", origin: "https://evil.example", "x-conserver-api-token": "secret" };
  const vcon = JSON.stringify(sampleVcon());
  expect((await gateway.app.inject({ method: "POST", url: "/vcon", headers, payload: vcon })).statusCode).toBe(201);
  await gateway.close();
});
