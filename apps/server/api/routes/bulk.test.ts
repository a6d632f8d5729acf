import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { VconError } from "@vcon-server/core";
import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { startGateway, type TestGateway } from "../testing/gateway.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

/** The lines of an answer, parsed. */
async function results(response: Response): Promise<Readonly<Record<string, unknown>>[]> {
  const text = await response.text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

describe.each(BACKENDS)("storing many vCons (%s)", (kind) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ kind, settings: { maxBodyBytes: 100_000 } });
  });
  afterAll(() => gateway.close());

  const upload = (body: RequestInit["body"], query = "", headers: Readonly<Record<string, string>> = {}) =>
    gateway.call(`/vcons${query}`, { method: "POST", body: body ?? null, headers: { ...NDJSON, ...headers } });

  /** Sends the second vCon when it is told to. */
  function uploadSlowly(vcons: readonly unknown[], rest: Promise<void>, query = ""): Promise<Response> {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from(`${JSON.stringify(vcons[0])}\n`));
        await rest;
        controller.enqueue(Buffer.from(JSON.stringify(vcons[1])));
        controller.close();
      },
    });
    // `duplex` is what Node asks for with a stream; its types do not know it
    const init: RequestInit & { readonly duplex: "half" } = { method: "POST", body, headers: NDJSON, duplex: "half" };
    return gateway.call(`/vcons${query}`, init);
  }

  test("every line is stored and queued in order, and has its result", async () => {
    const vcons = Array.from({ length: 300 }, () => sampleVcon());
    const response = await upload(vcons.map((vcon) => JSON.stringify(vcon)).join("\n"), "?ingress_lists=bulk");
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "application/x-ndjson; charset=utf-8",
    ]);
    const lines = await results(response);
    expect(lines.map(({ line, status, uuid, outcome }) => [line, status, uuid, outcome])).toEqual(
      vcons.map(({ uuid }, at) => [at + 1, 201, uuid, "created"]),
    );
    expect(await gateway.backend.peek("bulk", 0, 1000)).toEqual(vcons.map(({ uuid }) => uuid));
  });

  test("a bad line does not stop the others and says what is wrong with it", async () => {
    const [first, last] = [sampleVcon(), sampleVcon()];
    const { uuid: _, ...nameless } = sampleVcon();
    const body = [
      JSON.stringify(first),
      "{ not json",
      "",
      JSON.stringify(nameless),
      `"${"x".repeat(100_001)}"`,
      JSON.stringify(last),
    ];
    expect(await results(await upload(body.join("\n")))).toMatchObject([
      { line: 1, status: 201, uuid: first.uuid },
      { line: 2, status: 422, code: "VCON_INPUT_INVALID", detail: [{ type: "json_invalid" }] },
      { line: 4, status: 422, errors: [{ pointer: "/uuid" }] },
      { line: 5, status: 413, code: "VCON_INPUT_TOO_LARGE" },
      { line: 6, status: 201, uuid: last.uuid },
    ]);
  });

  test("each line says how many lists received the vCon", async () => {
    const line = JSON.stringify(sampleVcon());
    const queued = async (query: string) => (await results(await upload(line, query))).map((one) => one["queued"]);
    expect(await queued("?ingress_lists=first")).toEqual([1]);
    expect(await queued("?ingress_lists=first")).toEqual([0]);
    expect(await queued("?ingress_lists=first,second,third")).toEqual([2]);
    expect(await queued("")).toEqual([0]);
  });

  test("a vCon that stands twice ends as its last line says", async () => {
    const vcon = sampleVcon();
    const lines = ["a", "b", "c"].map((subject) => JSON.stringify({ ...vcon, subject }));
    expect((await results(await upload(lines.join("\n")))).map(({ outcome }) => outcome)).toEqual([
      "created",
      "replaced",
      "replaced",
    ]);
    expect(await (await gateway.call(`/vcon/${vcon.uuid}`)).json()).toHaveProperty("subject", "c");
  });

  test("the answer begins when the upload is read", async () => {
    const vcons = [sampleVcon(), sampleVcon()];
    const rest = Promise.withResolvers<void>();
    let answered = false;
    const uploading = uploadSlowly(vcons, rest.promise).finally(() => {
      answered = true;
    });
    await expect.poll(() => gateway.backend.read([vcons[0]!.uuid])).not.toEqual([undefined]);
    expect(answered).toBe(false);
    rest.resolve();
    const response = await uploading;
    const text = await response.clone().text();
    expect(response.headers.get("content-length")).toBe(String(text.length));
    expect((await results(response)).map(({ uuid }) => uuid)).toEqual(vcons.map(({ uuid }) => uuid));
  });

  test("with stream=true results come while the upload goes on", async () => {
    const vcons = [sampleVcon(), sampleVcon()];
    const first = Promise.withResolvers<void>();
    const response = await uploadSlowly(vcons, first.promise, "?stream=true");
    const reader = response.body?.getReader();
    const chunk = await reader?.read();
    expect(Buffer.from(chunk?.value ?? []).toString()).toContain(vcons[0]?.uuid);
    first.resolve();
    const rest = await reader?.read();
    expect(Buffer.from(rest?.value ?? []).toString()).toContain(vcons[1]?.uuid);
  });

  test("gzip is unpacked on the way; a bomb and a broken archive end with a line that says so", async () => {
    const vcons = Array.from({ length: 50 }, () => sampleVcon());
    const gzip = { "content-encoding": "gzip" };
    const packed = gzipSync(vcons.map((vcon) => JSON.stringify(vcon)).join("\n"));
    expect(await results(await upload(packed, "", gzip))).toHaveLength(50);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, "\n"));
    expect((await results(await upload(bomb, "", gzip))).at(-1)).toMatchObject({
      status: 413,
      code: "VCON_INPUT_TOO_LARGE",
    });
    const broken = packed.subarray(0, packed.length - 20);
    expect((await results(await upload(broken, "", gzip))).at(-1)).toMatchObject({
      status: 422,
      code: "VCON_INPUT_MALFORMED",
    });
  });

  test("from_line reads past the lines before it, and numbers the others as they stand", async () => {
    const vcons = [sampleVcon(), sampleVcon(), sampleVcon()];
    const lines = vcons.map((vcon) => JSON.stringify(vcon)).join("\n");
    expect(await results(await upload(lines, "?from_line=3"))).toMatchObject([{ line: 3, uuid: vcons[2]?.uuid }]);
    expect(await results(await upload(lines, "?from_line=4"))).toEqual([]);
    expect(await gateway.backend.read(vcons.slice(0, 2).map(({ uuid }) => uuid))).toEqual([undefined, undefined]);
  });

  test("a line that fails unforeseen is logged under the number its result has", async () => {
    gateway.fail(new TypeError("secret internals"));
    const [line] = await results(await upload(`\n${JSON.stringify(sampleVcon())}`));
    gateway.fail(undefined);
    expect(line).toMatchObject({ line: 2, status: 500, code: "VCON_INTERNAL", detail: "Failed to store vCons" });
    expect(JSON.stringify(line)).not.toContain("secret");
    const logged = gateway.log.filter(({ fields }) => fields?.["instance"] === line?.["instance"]);
    expect(logged).toMatchObject([{ level: "error", fields: { line: 2, route: "/vcons", method: "POST" } }]);
  });

  test("an upload whose connection breaks is logged with the line to go on from, and what it sent is stored", async () => {
    const vcon = sampleVcon();
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
    const sent = `${JSON.stringify(vcon)}\n{"unfinished":`;
    socket.write(
      `POST /vcons HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 9999\r\n\r\n${sent}`,
    );
    await expect.poll(() => gateway.backend.read([vcon.uuid])).not.toEqual([undefined]);
    socket.destroy();
    const told = () => gateway.log.filter(({ message }) => message.startsWith("an upload broke off"));
    await expect.poll(() => told().at(-1)?.fields).toMatchObject({ route: "/vcons", lines: 1, resume_from_line: 2 });
  });

  test("in an outage every line says 503, the log says it once, and the server goes on", async () => {
    const before = gateway.log.length;
    gateway.fail(new VconError("VCON_BACKEND_DOWN", "the backend does not answer"));
    const lines = await results(
      await upload([sampleVcon(), sampleVcon()].map((vcon) => JSON.stringify(vcon)).join("\n")),
    );
    gateway.fail(undefined);
    expect(lines).toMatchObject([
      { line: 1, status: 503, code: "VCON_BACKEND_DOWN" },
      { line: 2, status: 503, code: "VCON_BACKEND_DOWN" },
    ]);
    expect(gateway.log.slice(before)).toMatchObject([
      { level: "warn", fields: { code: "VCON_BACKEND_DOWN", line: 1 } },
    ]);
    expect(await results(await upload(JSON.stringify(sampleVcon())))).toMatchObject([{ status: 201 }]);
  });

  test("no lines are no results; another media type is refused", async () => {
    expect(await results(await upload("\n\n"))).toEqual([]);
    expect((await upload("{}", "", { "content-type": "application/json" })).status).toBe(415);
  });
});

test("a client that stops sending is cut off with a line that says so, and what it sent is stored", async () => {
  const gateway = await startGateway({ settings: { requestTimeout: 150 } });
  const vcon = sampleVcon();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from(`${JSON.stringify(vcon)}\n{"unfinished":`));
    },
  });
  const init: RequestInit & { readonly duplex: "half" } = { method: "POST", body, headers: NDJSON, duplex: "half" };
  const response = await gateway.call("/vcons", init);
  expect(await results(response)).toMatchObject([
    { line: 1, status: 201, uuid: vcon.uuid },
    { line: 2, status: 408, code: "VCON_INPUT_TIMEOUT", resume_from_line: 2 },
  ]);
  expect(gateway.log).toMatchObject([{ level: "warn", fields: { lines: 1, resume_from_line: 2 } }]);
  await gateway.close();
});
