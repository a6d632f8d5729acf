import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { json, startGateway, type TestGateway } from "../testing/gateway.ts";

const MAX = 2 * 1024 * 1024;

/** Sends the text as it is and gives what comes back until the connection ends. */
function raw(url: string, text: string, onContinue?: (socket: Socket) => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text));
  let answer = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    answer += chunk;
    if (answer.endsWith(" 100 Continue\r\n\r\n")) onContinue?.(socket);
  });
  // a reset after the answer is as good an end as any
  socket.on("error", () => resolve(answer));
  socket.on("close", () => resolve(answer));
  return promise;
}

/** Sends a body of so many bytes to its end, reads only then, and gives what comes back; a reset is a failure. */
function sendAll(url: string, bytes: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", reject).pause();
  socket.write(
    `POST /vcon HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`,
  );
  socket.write(Buffer.alloc(bytes, "x"), () => {
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("close", () => resolve(answer)).resume();
  });
  return promise;
}

describe("request bodies", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ settings: { maxBodyBytes: MAX, requestTimeout: 300 } });
  });
  afterAll(() => gateway.close());

  const post = (body: RequestInit["body"], headers: Readonly<Record<string, string>>) =>
    gateway.call("/vcon", { method: "POST", body: body ?? null, headers });

  test.each([
    "application/json",
    "application/json; charset=utf-8",
    "application/vcon",
    "application/vcon+json",
    "APPLICATION/JSON",
  ])("%s carries a vCon", async (type) => {
    expect((await post(JSON.stringify(sampleVcon()), { "content-type": type })).status).toBe(201);
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/merge-patch+json",
    "nonsense",
  ])("%s is refused by name", async (type) => {
    const response = await post(JSON.stringify(sampleVcon()), { "content-type": type });
    expect([response.status, (await json(response))["code"]]).toEqual([415, "VCON_INPUT_MEDIATYPE"]);
  });

  test("with a token configured a body without a media type counts as JSON", async () => {
    const guarded = await startGateway({ settings: { apiTokens: ["secret"] } });
    const body = JSON.stringify(sampleVcon());
    const head = "Host: localhost\r\nAuthorization: Bearer secret\r\nConnection: close";
    const answer = await raw(
      guarded.url,
      `POST /vcon HTTP/1.1\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
    await guarded.close();
  });

  test("no body is said to be missing", async () => {
    for (const headers of [{}, { "content-type": "application/json" }, { "content-type": "text/plain" }]) {
      const response = await post("", headers);
      expect([response.status, (await json(response))["detail"]]).toEqual([
        422,
        [{ type: "missing", loc: ["body"], msg: "Field required" }],
      ]);
    }
  });

  test("a body that a route has no use for does not matter", async () => {
    const init = { method: "POST", body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } };
    expect((await gateway.call("/dlq/reprocess?ingress_list=a", init)).status).toBe(200);
  });

  test("gzip is unpacked, whether a header or only its first bytes say so", async () => {
    const headers = [
      { "content-encoding": "gzip", "content-type": "application/json" },
      { "content-type": "application/vcon+gzip" },
      { "content-type": "application/json" },
    ];
    for (const each of headers) {
      const vcon = sampleVcon();
      const response = await post(gzipSync(JSON.stringify(vcon)), each);
      expect([response.status, await response.json()]).toEqual([201, vcon]);
    }
  });

  test("bombs are refused by size and by ratio, broken archives as malformed, other encodings by name", async () => {
    const gzip = { "content-type": "application/json", "content-encoding": "gzip" };
    expect((await post(gzipSync(Buffer.alloc(MAX + 1, 0x20)), gzip)).status).toBe(413);
    expect((await post(gzipSync(Buffer.alloc(MAX - 1, 0x20)), gzip)).status).toBe(413);
    expect((await post(Buffer.from([0x1f, 0x8b, 1, 2, 3]), gzip)).status).toBe(422);
    expect((await post("{}", { ...gzip, "content-encoding": "br" })).status).toBe(415);
  });

  test("a body announced too large is refused before it is sent", async () => {
    const answer = await raw(
      gateway.url,
      `POST /vcon HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${MAX + 1}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toLowerCase()).toContain("connection: close");
    expect(answer).toContain("CONSERVER_MAX_BODY_BYTES");
  });

  const expecting = (path: string, length: number, type = "application/json") =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;

  test("a body that is held back is asked for only where it would be taken", async () => {
    expect(await raw(gateway.url, expecting("/vcon", MAX + 1))).toMatch(/^HTTP\/1\.1 413 /);
    expect(await raw(gateway.url, expecting("/vcon", 10, "text/plain"))).toMatch(/^HTTP\/1\.1 415 /);
    expect(await raw(gateway.url, expecting("/vcon?x=1", 10))).toMatch(/^HTTP\/1\.1 422 /);
    expect(await raw(gateway.url, expecting("/nowhere", 10))).toMatch(/^HTTP\/1\.1 404 /);
    const body = JSON.stringify(sampleVcon());
    const taken = await raw(gateway.url, expecting("/vcon", body.length), (socket) => socket.write(body));
    expect(taken).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
  });

  test("a client that sends all of a body before it reads gets the refusal of it, not a reset", async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => sendAll(gateway.url, 8 * MAX)));
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*CONSERVER_MAX_BODY_BYTES/);
  });

  test("a body of unknown length is cut at the limit", async () => {
    const chunk = "x".repeat(64 * 1024);
    const piece = `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
    const head =
      "POST /vcon HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    const answer = await raw(gateway.url, head + piece.repeat(MAX / chunk.length + 1));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("a body that does not arrive in time is 408 and the connection ends", async () => {
    const answer = await raw(
      gateway.url,
      'POST /vcon HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"uuid":',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain("VCON_INPUT_TIMEOUT");
  });

  test("what is no HTTP, and headers without end, get a problem document too", async () => {
    expect(await raw(gateway.url, "HELLO\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*problem\+json[\s\S]*VCON_INPUT_MALFORMED/,
    );
    expect(await raw(gateway.url, `GET / HTTP/1.1\r\nX: ${"x".repeat(70_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("a client that goes away in the middle leaves nothing behind", async () => {
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write(
      'POST /vcon HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"uuid"',
    );
    socket.destroy();
    expect((await post(JSON.stringify(sampleVcon()), { "content-type": "application/json" })).status).toBe(201);
    expect(gateway.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("fifty slow clients do not keep a good one waiting", async () => {
    const slow = Array.from({ length: 50 }, () =>
      raw(
        gateway.url,
        "POST /vcon HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
      ),
    );
    const good = await Promise.all(
      Array.from({ length: 20 }, () => post(JSON.stringify(sampleVcon()), { "content-type": "application/json" })),
    );
    expect(new Set(good.map(({ status }) => status))).toEqual(new Set([201]));
    for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });
});
