import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { Validator } from "@seriousme/openapi-schema-validator";
import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { json, startGateway, type TestGateway } from "./testing/gateway.ts";

describe("the shell around the routes", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  test("paths answer bare and under the root path, with and without a slash at the end", async () => {
    const bodies = await Promise.all(
      ["/health/live", "/api/health/live", "/health/live/", "/api/health/live/"].map(async (path) =>
        (await gateway.call(path)).json(),
      ),
    );
    for (const body of bodies) expect(body).toEqual({ status: "live" });
    expect((await gateway.call("/api/vcon/?page=1")).status).toBe(200);
    expect((await gateway.call("/apivcon")).status).toBe(404);
    expect((await gateway.call("/api/api/vcon")).status).toBe(404);
  });

  test("every response names version and commit, refusals too", async () => {
    for (const path of ["/version", "/nowhere", "/vcon/nonsense", "/openapi.json", "/docs/", "/%zz"]) {
      const { headers } = await gateway.call(path);
      expect([path, headers.get("x-vcon-server-version"), headers.get("x-vcon-server-commit")]).toEqual([
        path,
        "1.2.3",
        "abc1234",
      ]);
    }
  });

  test("unknown paths are 404, wrong methods 405 with those that would do, both with the original's detail", async () => {
    const unknown = await gateway.call("/nowhere", { method: "POST", body: "x".repeat(10) });
    expect([unknown.status, (await json(unknown))["detail"]]).toEqual([404, "Not Found"]);
    const wrong = await gateway.call("/api/vcons", { method: "DELETE" });
    expect([wrong.status, wrong.headers.get("allow"), (await json(wrong))["detail"]]).toEqual([
      405,
      "GET, HEAD, POST",
      "Method Not Allowed",
    ]);
  });

  test("problem documents follow RFC 9457 and carry the original's detail", async () => {
    const response = await gateway.call(`/vcon/${randomUUID()}`);
    expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toEqual({
      type: "urn:vcon-server:error:VCON_NOT_FOUND",
      title: "There is nothing under this address.",
      status: 404,
      detail: "vCon not found",
      code: "VCON_NOT_FOUND",
    });
  });

  test("without configured origins there are no CORS headers", async () => {
    const response = await gateway.call("/version", { headers: { origin: "https://example.org" } });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("the page of the API works offline and below any prefix", async () => {
    const redirect = await gateway.call("/api/docs", { redirect: "manual" });
    expect([redirect.status, redirect.headers.get("location")]).toEqual([302, "docs/"]);
    const page = await (await gateway.call("/api/docs/")).text();
    const parts = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part = ""]) => part);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(part).toMatch(/^\.\//);
      expect((await gateway.call(`/api/docs/${part.slice(2)}`)).status).toBe(200);
    }
  });
});

describe("the OpenAPI document", () => {
  let gateway: TestGateway;
  let document: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    gateway = await startGateway();
    document = await json(await gateway.call("/api/openapi.json"));
  });
  afterAll(() => gateway.close());

  const operations = () =>
    Object.entries(document["paths"] ?? {}).flatMap(([path, methods]: [string, object]) =>
      Object.entries(methods).map(([method, operation]: [string, object]) => ({ path, method, operation })),
    );

  test("is valid OpenAPI 3.1 with title, version, tags and the root path", async () => {
    expect(await new Validator().validate({ ...document })).toMatchObject({ valid: true });
    expect(document).toMatchObject({
      openapi: "3.1.0",
      info: { title: "vCon Server", version: "1.2.3" },
      servers: [{ url: "/api" }],
    });
  });

  test("lists each route once, with summary, tag and answers that have descriptions", () => {
    const paths = operations().map(({ method, path }) => `${method} ${path}`);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths.length).toBeGreaterThanOrEqual(27);
    expect(paths.some((path) => path.includes("/api/"))).toBe(false);
    for (const { path, method, operation } of operations()) {
      expect([method, path, operation]).toEqual([
        method,
        path,
        expect.objectContaining({
          summary: expect.any(String),
          tags: [expect.any(String)],
          responses: expect.any(Object),
        }),
      ]);
      for (const response of Object.values(Reflect.get(operation, "responses") ?? {}))
        expect(response).toMatchObject({ description: expect.stringMatching(/./) });
    }
  });

  test("every parameter is described, and there are examples of parameters, bodies and answers", () => {
    for (const { operation } of operations()) {
      const parameters: unknown = Reflect.get(operation, "parameters") ?? [];
      for (const parameter of Array.isArray(parameters) ? parameters : [])
        expect(parameter).toHaveProperty("description");
    }
    const text = JSON.stringify(document);
    expect(text.match(/"examples?":/g)?.length).toBeGreaterThan(30);
  });

  test("says who may call what", () => {
    for (const { path, operation } of operations()) {
      const open = ["/version", "/health", "/health/live", "/health/ready"].includes(path);
      expect([path, Reflect.has(operation, "security")]).toEqual([path, !open]);
    }
  });
});

test("listed origins may ask across origins, others may not, and a preflight needs no token", async () => {
  const gateway = await startGateway({ settings: { corsOrigins: ["https://ui.example"], apiTokens: ["t"] } });
  const ask = (origin: string) =>
    gateway.call("/vcon", { method: "OPTIONS", headers: { origin, "access-control-request-method": "PATCH" } });
  const allowed = await ask("https://ui.example");
  expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, "https://ui.example"]);
  expect((await ask("https://evil.example")).headers.get("access-control-allow-origin")).not.toBe(
    "https://evil.example",
  );
  const read = await gateway.call("/version", { headers: { origin: "https://ui.example" } });
  expect(read.headers.get("access-control-expose-headers")).toContain("etag");
  expect(read.headers.get("access-control-allow-credentials")).toBeNull();
  await gateway.close();
});

test("closing finishes what is under way and refuses what comes after it", async () => {
  const gateway = await startGateway();
  const vcon = JSON.stringify(sampleVcon());
  const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
  socket.setEncoding("utf8");
  const heard = (text: RegExp) =>
    new Promise<void>((resolve) => {
      let answer = "";
      socket.on("data", (chunk: string) => {
        answer += chunk;
        if (text.test(answer)) resolve();
      });
    });
  const begun = heard(/100 Continue/);
  const answers = heard(/HTTP\/1\.1 201 [\s\S]*HTTP\/1\.1 503 [\s\S]*connection: close[\s\S]*VCON_SHUTTING_DOWN/i);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  const head = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${vcon.length}\r\nExpect: 100-continue\r\n\r\n`;
  socket.write(`POST /vcon HTTP/1.1\r\n${head}${vcon.slice(0, 20)}`);
  await begun;
  const closed = gateway.close();
  while (gateway.app.server.listening) await new Promise((resolve) => setImmediate(resolve));
  socket.write(`${vcon.slice(20)}GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await answers;
  await ended;
  await closed;
});
