import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { Readable } from "node:stream";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import { connectionFailure } from "../services/index.ts";
import { openNetwork, stubNetwork } from "./network.ts";

const network = openNetwork(["127.0.0.0/8"]);
const fetch = network.fetchFor([]);
const servers: Server[] = [];
let connections = 0;

async function listen(listener: RequestListener, server: Server = createServer()): Promise<number> {
  server.on("request", listener);
  server.on("connection", () => connections++);
  servers.push(server);
  // a burst of connections must not wait for a second try of the kernel
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return address.port;
}

/** Tells in JSON what came. */
const echo: RequestListener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const { method, headers, httpVersion } = request;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ method, headers, httpVersion, body: Buffer.concat(chunks).toString("latin1") }));
};

interface Echoed {
  readonly method: string;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let url: string;
beforeAll(async () => {
  url = `http://127.0.0.1:${await listen(echo)}/`;
});
afterAll(async () => {
  await network.close();
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

const send = async (init?: RequestInit, input: string | URL | Request = url): Promise<Echoed> =>
  (await (await fetch(input, init)).json()) as Echoed;

describe("what plug-ins send", () => {
  test("nothing but an address", async () => {
    expect(await send()).toMatchObject({ method: "GET", body: "", httpVersion: "1.1" });
    expect(await send({}, new URL(url))).toMatchObject({ method: "GET" });
  });

  test("text, with its length", async () => {
    const sent = await send({ method: "POST", body: "grüße", headers: { "X-One": "1" } });
    expect(Buffer.from(sent.body, "latin1").toString()).toBe("grüße");
    expect(sent.headers).toMatchObject({ "content-length": "7", "x-one": "1" });
  });

  test.each([
    ["bytes", new Uint8Array([0, 255, 10]), undefined],
    ["a part of a buffer", Buffer.from([1, 0, 255, 10, 2]).subarray(1, 4), undefined],
    ["an array buffer", new Uint8Array([0, 255, 10]).buffer, undefined],
    ["a blob", new Blob([new Uint8Array([0, 255, 10])], { type: "audio/wav" }), "audio/wav"],
  ])("%s, with its length and type", async (_, body, type) => {
    const sent = await send({ method: "PUT", body });
    expect(sent.body).toBe("\u0000\u00ff\n");
    expect(sent.headers["content-length"]).toBe("3");
    expect(sent.headers["content-type"]).toBe(type);
  });

  test("URL parameters, as a form", async () => {
    const sent = await send({ method: "POST", body: new URLSearchParams({ a: "1 2", b: "ü" }) });
    expect(sent.body).toBe("a=1+2&b=%C3%BC");
    expect(sent.headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
  });

  test("a form with files, with its length, as any server reads it", async () => {
    const bytes = Buffer.alloc(300_000, 7);
    const form = new FormData();
    form.append("model", "whisper");
    form.append("file", new File([bytes], "call é.wav", { type: "audio/wav" }));
    form.append("raw", new Blob(["x"]));
    const sent = await send({ method: "POST", body: form });
    const type = sent.headers["content-type"] ?? "";
    const read = await new Response(Buffer.from(sent.body, "latin1"), { headers: { "content-type": type } }).formData();
    expect(Number(sent.headers["content-length"])).toBe(sent.body.length);
    expect(read.get("model")).toBe("whisper");
    const file = read.get("file");
    if (!(file instanceof File)) throw new Error("no file");
    expect([file.name, file.type, Buffer.from(await file.arrayBuffer()).equals(bytes)]).toEqual([
      "call é.wav",
      "audio/wav",
      true,
    ]);
    expect(read.get("raw")).toBeInstanceOf(File);
  });

  test("streams, without holding them in memory", async () => {
    let asked = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (asked++ === 3) return controller.close();
        return controller.enqueue(Buffer.from(`part ${asked};`));
      },
    });
    const sent = await send({ method: "POST", body, duplex: "half" });
    expect(sent.body).toBe("part 1;part 2;part 3;");
    expect(sent.headers["transfer-encoding"]).toBe("chunked");
    expect((await send({ method: "POST", body: Readable.from([Buffer.from("a"), Buffer.from("b")]) })).body).toBe("ab");
  });

  test("requests that are made already, and what is given besides wins", async () => {
    const made = () => new Request(url, { method: "POST", body: "made", headers: { "x-one": "1" } });
    expect(await send(undefined, made())).toMatchObject({
      method: "POST",
      body: "made",
      headers: { "x-one": "1", "content-length": "4" },
    });
    expect(await send({ body: "given", headers: { "x-two": "2" } }, made())).toMatchObject({
      method: "POST",
      body: "given",
      headers: { "x-two": "2" },
    });
    const form = new FormData();
    form.append("a", "b");
    const sent = await send(undefined, new Request(url, { method: "POST", body: form }));
    expect(sent.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
  });

  test("members that are undefined count as not given", async () => {
    const init: RequestInit = {};
    Object.assign(init, { body: undefined, method: undefined, headers: undefined, redirect: undefined });
    expect(await send(init, new Request(url, { method: "POST", body: "made" }))).toMatchObject({
      method: "POST",
      body: "made",
    });
  });
});

describe("signals", () => {
  const silent = async (): Promise<string> => `http://127.0.0.1:${await listen((request) => request.resume())}/`;

  test("that are aborted already send nothing", async () => {
    const before = connections;
    const reason = new Error("over");
    await expect(fetch(await silent(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(connections).toBe(before);
  });

  test.each(["init", "request"])("end a request that hangs, with their reason (%s)", async (where) => {
    const controller = new AbortController();
    const { signal } = controller;
    const asked = await silent();
    const running = where === "init" ? fetch(asked, { signal }) : fetch(new Request(asked, { signal }));
    const reason = new VconError("VCON_SERVICE_TIMEOUT", "over");
    setImmediate(() => controller.abort(reason));
    await expect(running).rejects.toBe(reason);
  });

  test("end an answer that never ends", async () => {
    const port = await listen((request, response) => {
      request.resume();
      response.write("begun");
    });
    const controller = new AbortController();
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: controller.signal });
    const reading = answer.text();
    controller.abort(new Error("over"));
    await expect(reading).rejects.toThrow("over");
  });
});

describe("what comes back", () => {
  test("is a response as anywhere else", async () => {
    const port = await listen((_, response) => {
      response.writeHead(503, "Busy", {
        "retry-after": "7",
        "content-type": "text/plain",
        "set-cookie": ["a=1", "b=2"],
      });
      response.end("ünavailable");
    });
    const answer = await fetch(`http://127.0.0.1:${port}/x?y`);
    expect([answer.ok, answer.status, answer.statusText, answer.redirected]).toEqual([false, 503, "Busy", false]);
    expect(answer.url).toBe(`http://127.0.0.1:${port}/x?y`);
    expect(answer.headers.get("Retry-After")).toBe("7");
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    const copy = answer.clone();
    const parts: Uint8Array[] = [];
    for await (const part of answer.body ?? []) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe("ünavailable");
    expect(new Uint8Array(await copy.arrayBuffer())).toHaveLength(12);
  });

  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
  ] as const)("is unpacked where it comes as %s, which nobody asked for", async (encoding, pack) => {
    const port = await listen((_, response) => {
      response.writeHead(200, { "content-encoding": encoding, "content-type": "application/json" });
      response.end(pack('{"said":"ü"}'));
    });
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect(answer.headers.get("content-encoding")).toBeNull();
    expect(await answer.json()).toEqual({ said: "ü" });
    const broken = await listen((_, response) => {
      response.writeHead(200, { "content-encoding": encoding });
      response.end("no such thing");
    });
    await expect(fetch(`http://127.0.0.1:${broken}/`).then((answer) => answer.text())).rejects.toThrow();
  });

  test("has no body where there can be none", async () => {
    const port = await listen((_, response) => response.writeHead(204).end());
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect([answer.status, answer.body, await answer.text()]).toEqual([204, null, ""]);
  });

  test("is a failure that says why, when there is no answer", async () => {
    const cut = await listen((request) => request.socket.destroy());
    for (const [address, why] of [
      [`http://127.0.0.1:${cut}/`, /other side closed|ECONNRESET/],
      ["http://127.0.0.4:81/", /ECONNREFUSED/],
      [url.replace("http:", "https:"), /does not speak TLS: check http:\/\/ against https:\/\//],
    ] as const) {
      const error: unknown = await fetch(address).catch((failure: unknown) => failure);
      expect(error).not.toBeInstanceOf(VconError);
      expect(connectionFailure("asking", error).message).toMatch(why);
    }
  });
});

describe("connections", () => {
  test("are used again, also after a short answer that nobody read", async () => {
    const own = openNetwork(["127.0.0.0/8"]);
    const before = connections;
    for (let at = 0; at < 10; at++) await (await own.fetchFor([])(url)).body?.cancel();
    for (let at = 0; at < 10; at++) await (await own.fetchFor([])(url, { method: "POST", body: "x" })).text();
    // a second one when a request comes before the first connection has finished with its last
    expect(connections - before).toBeLessThanOrEqual(2);
    await own.close();
  });

  test("end with a long answer that nobody wants to read on", async () => {
    const own = openNetwork(["127.0.0.0/8"]);
    for (const headers of [{}, { "content-encoding": "gzip" }]) {
      const over = Promise.withResolvers<void>();
      const port = await listen((request, response) => {
        request.resume();
        response.on("close", over.resolve);
        response.writeHead(200, headers);
        response.write("begun");
      });
      const answer = await own.fetchFor([])(`http://127.0.0.1:${port}/`);
      await answer.body?.cancel();
      await over.promise;
    }
    await own.close();
  });

  test("2,000 requests at a time are answered, within little memory, and their connections serve the next 2,000", async () => {
    const own = openNetwork(["127.0.0.0/8"]);
    const waiting: (() => void)[] = [];
    const port = await listen((request, response) => {
      request.resume();
      waiting.push(() => response.end("ok"));
      if (waiting.length === 2_000) for (const answer of waiting.splice(0)) answer();
    });
    const round = () =>
      Promise.all(
        Array.from({ length: 2_000 }, async () => {
          const answer = await own.fetchFor([])(`http://127.0.0.1:${port}/`, {
            method: "POST",
            body: "x".repeat(1_000),
          });
          return answer.text();
        }),
      );
    const [before, memory] = [connections, process.memoryUsage.rss()];
    expect((await round()).filter((text) => text === "ok")).toHaveLength(2_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect((await round()).filter((text) => text === "ok")).toHaveLength(2_000);
    expect(connections - before).toBeLessThanOrEqual(3_000);
    // both ends of each connection are in this process
    expect((process.memoryUsage.rss() - memory) / 2_000).toBeLessThan(250_000);
    await own.close();
  });

  test("end with the network, whatever is under way", async () => {
    const own = openNetwork(["127.0.0.0/8"]);
    const arrived = Promise.withResolvers<void>();
    const port = await listen(() => arrived.resolve());
    const running = own.fetchFor([])(`http://127.0.0.1:${port}/`);
    const failed = expect(running).rejects.toThrow("fetch failed");
    await arrived.promise;
    await own.close();
    await failed;
    await own.close();
  });
});

describe("https", () => {
  const pem = (name: string) => readFileSync(new URL(`testdata/loopback.${name}.pem`, import.meta.url), "utf8");
  const trusted = getCACertificates("default");
  let port: number;
  beforeAll(async () => {
    setDefaultCACertificates([...trusted, pem("cert")]);
    port = await listen(echo, createTlsServer({ key: pem("key"), cert: pem("cert") }));
  });
  afterAll(() => setDefaultCACertificates(trusted));

  const named = openNetwork(["127.0.0.0/8"], async () => [{ address: "127.0.0.1", family: 4 }]);
  afterAll(() => named.close());

  test("reaches the machine that was checked, which must prove its name", async () => {
    const answer = await named.fetchFor([])(`https://hook.test:${port}/`, { method: "POST", body: "x" });
    expect(await answer.json()).toMatchObject({
      body: "x",
      httpVersion: "1.1",
      headers: { host: `hook.test:${port}` },
    });
    await expect(named.fetchFor([])(`https://other.test:${port}/`)).rejects.toMatchObject({
      cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
    });
  });

  test("is refused where http is", async () => {
    const outside = openNetwork([], async () => [{ address: "127.0.0.1", family: 4 }]);
    const before = connections;
    await expect(outside.fetchFor([])(`https://hook.test:${port}/`)).rejects.toMatchObject({
      code: "VCON_ADDRESS_REFUSED",
    });
    expect(connections).toBe(before);
    const service = outside.fetchFor([`https://hook.test:${port}/api`]);
    expect((await service(`https://hook.test:${port}/`)).status).toBe(200);
    await outside.close();
  });
});

test("a stub answers with what it is given, whatever the services", async () => {
  const stub = stubNetwork(async () => new Response("stub"));
  expect(await (await stub.fetchFor(["http://any"])("http://x/")).text()).toBe("stub");
  await stub.close();
});
