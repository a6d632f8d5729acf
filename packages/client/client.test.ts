import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BulkLine, ClientError, createClient } from "./index.ts";

const uuid = "01928e10-193e-8231-b9a2-279e0d16bc46";

/** What the server got. */
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let server: Server;
let url: string;
let seen: Seen[];
let answer: (response: ServerResponse, request: Seen) => void;

beforeEach(async () => {
  seen = [];
  server = createServer(async (request, response) => {
    const got = {
      method: request.method ?? "",
      url: request.url ?? "",
      headers: request.headers,
      body: await text(request),
    };
    seen.push(got);
    answer(response, got);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json =
  (status: number, value: unknown, headers = {}) =>
  (response: ServerResponse) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));

const client = (options = {}) => createClient({ url, ...options });

test("sends the token under the header's name, and queries as the server reads them", async () => {
  answer = json(200, ["a"]);
  await createClient({ url: `${url}/api/`, token: "s3cret", header: "x-key" }).search({
    tel: "+1 202",
    name: "Ann & Bob",
  });
  expect(seen[0]).toMatchObject({ method: "GET", url: "/api/vcons/search?tel=%2B1+202&name=Ann+%26+Bob" });
  expect(seen[0]?.headers["x-key"]).toBe("s3cret");
});

test("a stored vCon comes with its ETag, and large numbers stay as they are in the text", async () => {
  answer = (response) =>
    response
      .writeHead(200, { etag: '"7"', "x-vcon-findings": "2" })
      .end(`{"uuid":"${uuid}","x_n":12345678901234567890}`);
  const found = await client().get(uuid, { format: "0.0.1" });
  expect(found).toMatchObject({ etag: '"7"', findings: 2, vcon: { uuid } });
  expect(found?.text).toContain("12345678901234567890");
  expect(seen[0]?.url).toBe(`/vcon/${uuid}?egress_format_version=0.0.1`);
  answer = json(200, { uuid });
  await client().put(uuid, found?.vcon ?? "", { ifMatch: '"7"' });
  expect(seen[1]?.body).toContain("12345678901234567890");
  expect(seen[1]?.headers["if-match"]).toBe('"7"');
});

test("not found is undefined, and unknown ones among many are undefined", async () => {
  answer = json(404, { code: "VCON_NOT_FOUND", detail: "vCon not found" });
  expect(await client().get(uuid)).toBeUndefined();
  answer = json(200, [{ uuid }, null]);
  expect(await client().getMany([uuid, uuid])).toEqual([{ uuid }, undefined]);
});

test("a refusal carries code, places, status and what the server asked to wait", async () => {
  const problem = {
    code: "VCON_INPUT_INVALID",
    title: "The request is not valid.",
    detail: [{ type: "missing", loc: ["body", "vcon"], msg: "Field required" }],
    errors: [{ pointer: "/vcon", detail: "Field required" }],
  };
  answer = json(422, problem);
  const refused: unknown = await client()
    .post("{}", { lists: ["a", "b"], giveUuid: true })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ClientError);
  expect(refused).toMatchObject({ code: "VCON_INPUT_INVALID", status: 422, retryable: false, problem });
  expect(String(refused)).toContain("/vcon Field required");
  expect(seen[0]?.url).toBe("/vcon?ingress_lists=a&ingress_lists=b&give_uuid=true");
  answer = json(503, { code: "VCON_BACKEND_DOWN", detail: "down" }, { "retry-after": "3" });
  await expect(client().list()).rejects.toMatchObject({
    code: "VCON_BACKEND_DOWN",
    retryable: true,
    retryAfterSecs: 3,
  });
});

test("an original server's errors are understood as well", async () => {
  answer = json(403, { detail: "Invalid API Key" });
  await expect(client().config()).rejects.toMatchObject({
    code: "VCON_AUTH_REFUSED",
    message: expect.stringContaining("Invalid API Key"),
  });
  answer = (response) => response.writeHead(500).end("Internal Server Error");
  await expect(client().config()).rejects.toMatchObject({
    code: "HTTP_500",
    message: expect.stringContaining("Internal Server Error"),
  });
});

test("something that is no vCon Server is said to be none", async () => {
  answer = (response) => response.writeHead(200).end("<html>");
  await expect(client().version()).rejects.toMatchObject({ code: "CLIENT_UNEXPECTED" });
  await expect(client().get(uuid)).rejects.toMatchObject({ code: "CLIENT_UNEXPECTED" });
  answer = (response) => response.writeHead(404).end("nothing here");
  await expect(client().get(uuid)).rejects.toMatchObject({ code: "HTTP_404" });
  answer = (response) => response.writeHead(404).end("<html>\n<body>a whole page</body>");
  await expect(client().list()).rejects.toMatchObject({ message: "listing vCons: status 404 Not Found" });
  expect(() => createClient({ url: "localhost:8000" })).toThrow(/http:\/\/127.0.0.1:8000/);
});

test("a server that is not there, is too slow, or leaves in the middle is an outage", async () => {
  answer = () => undefined;
  await expect(client({ timeoutMs: 20 }).list()).rejects.toMatchObject({ code: "CLIENT_TIMEOUT", retryable: true });
  answer = (response) => {
    response.writeHead(200, { "content-length": "100" }).write("[");
    response.destroy();
  };
  await expect(client().list()).rejects.toMatchObject({ code: "CLIENT_UNREACHABLE", retryable: true });
  const gone = url;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(createClient({ url: gone }).list()).rejects.toMatchObject({
    code: "CLIENT_UNREACHABLE",
    status: undefined,
  });
  server.listen(0);
});

test("a caller can give up", async () => {
  answer = () => undefined;
  const giveUp = new AbortController();
  const pending = client().get(uuid, { signal: giveUp.signal });
  giveUp.abort();
  await expect(pending).rejects.toMatchObject({ code: "CLIENT_ABORTED", retryable: false });
});

test("many vCons go as lines, and results are read as lines however they are cut", async () => {
  answer = (response, { body }) => {
    const lines = body.trimEnd().split("\n");
    const results = lines
      .map((line, at) => JSON.stringify({ line: at + 1, status: 201, uuid: JSON.parse(line), note: "ü" }))
      .join("\n");
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    for (const byte of Buffer.from(results)) response.write(Buffer.of(byte));
    response.end();
  };
  const results: BulkLine[] = [];
  for await (const result of client().bulk(['"a"', '"b"'], { lists: ["in"], requeue: true })) results.push(result);
  expect(results).toEqual([
    { line: 1, status: 201, uuid: "a", note: "ü" },
    { line: 2, status: 201, uuid: "b", note: "ü" },
  ]);
  expect(seen[0]).toMatchObject({ method: "POST", url: "/vcons?ingress_lists=in&requeue=true", body: '"a"\n"b"\n' });
  expect(seen[0]?.headers["content-type"]).toBe("application/x-ndjson");
});

test("a stream of results that breaks off is an outage, not an end", async () => {
  answer = (response) => {
    response
      .writeHead(200, { "transfer-encoding": "chunked" })
      .write('{"line":1,"status":201}\n', () => response.destroy());
  };
  const results: number[] = [];
  const reading = (async () => {
    for await (const { line } of client().bulk(["{}", "{}"])) results.push(line);
  })();
  await expect(reading).rejects.toMatchObject({ code: "CLIENT_UNREACHABLE" });
  expect(results).toEqual([1]);
});

test("every route is asked the way it is served", async () => {
  answer = (response, { method, url: path }) =>
    json(
      200,
      path.startsWith("/stats")
        ? { depth: 3 }
        : method === "PATCH" || path === "/chain/sales/ingress"
          ? { uuid }
          : ["x"],
    )(response);
  const api = client();
  await api.queue("in", [uuid]);
  await api.chainIngress("a b", [uuid]);
  await api.chainPost("sales", '{"x":1}');
  await api.chainEgress("sales", 5);
  await api.egress("out");
  expect(await api.depth("in")).toBe(3);
  await api.deadLetters("in", { limit: 10 });
  await api.reprocess("in", 7);
  await api.findings(uuid);
  await api.deliveries(uuid);
  await api.patch(uuid, { subject: "x" }, { ifMatch: '"1"' });
  await api.patch(uuid, [{ op: "remove", path: "/subject" }]);
  await api.delete(uuid);
  await api.replaceConfig({ chains: {} });
  await api.ready();
  expect(seen.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
    "POST /vcon/ingress?ingress_list=in",
    "POST /chain/a%20b/ingress",
    "POST /chain/sales/ingress",
    "GET /chain/sales/egress?limit=5",
    "GET /vcon/egress?egress_list=out",
    "GET /stats/queue?list_name=in",
    "GET /dlq?ingress_list=in&details=true&limit=10",
    "POST /dlq/reprocess?ingress_list=in&count=7",
    `GET /vcon/${uuid}/findings`,
    `GET /vcon/${uuid}/deliveries`,
    `PATCH /vcon/${uuid}`,
    `PATCH /vcon/${uuid}`,
    `DELETE /vcon/${uuid}`,
    "POST /config",
    "GET /health/ready",
  ]);
  expect(seen.filter(({ method }) => method === "PATCH").map(({ headers }) => headers["content-type"])).toEqual([
    "application/merge-patch+json",
    "application/json-patch+json",
  ]);
  answer = json(503, { status: "unready", reasons: ["VCON_BACKEND_DOWN"] });
  expect(await api.ready()).toEqual({ ready: false, body: { status: "unready", reasons: ["VCON_BACKEND_DOWN"] } });
});
