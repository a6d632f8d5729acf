import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { promisify } from "node:util";
import { openStorage, sampleVcon, stored } from "@vcon-server/core/testing";
import { type ElasticsearchServer, startElasticsearch } from "@vcon-server/core/testing/servers/elasticsearch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientOptions } from "./connect.ts";
import elasticsearch from "./index.ts";

const call = { signal: new AbortController().signal };
let folder: string;
let certificate: string;
let plain: ElasticsearchServer;
let tls: Server;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vcs-elasticsearch-"));
  certificate = join(folder, "ca.pem");
  const key = join(folder, "key.pem");
  const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    ...names,
    "-keyout",
    key,
    "-out",
    certificate,
  ];
  await promisify(execFile)("openssl", made);
  plain = await startElasticsearch();
  const port = Number(new URL(plain.url).port);
  tls = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (socket) => {
    const inner = connect(port, "127.0.0.1");
    socket.pipe(inner).pipe(socket);
    socket.on("error", () => inner.destroy());
    inner.on("error", () => socket.destroy());
  });
  tls.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => tls.listen(0, "127.0.0.1", resolve));
  const address = tls.address();
  url = `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(async () => {
  tls.close();
  await plain.stop();
  await rm(folder, { recursive: true, force: true });
});

test("a certificate nobody vouches for is refused, and the message says what to do", async () => {
  const storage = await openStorage(elasticsearch, { url });
  await expect(storage.check?.(call)).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN", retryable: true });
  await expect(storage.check?.(call)).rejects.toThrow(/certificate.*ca_certs/);
  await storage.close?.();
});

test("with its authority in ca_certs, as a file or as PEM, the server is trusted", async () => {
  for (const ca_certs of [certificate, await readFile(certificate, "utf8")]) {
    const storage = await openStorage(elasticsearch, { url, ca_certs });
    const vcon = sampleVcon();
    await storage.save(stored(vcon), call);
    expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    await storage.close?.();
  }
});

test("a file that is not there does not make it do without", async () => {
  const opening = openStorage(elasticsearch, { url, ca_certs: join(folder, "none.pem") });
  await expect(opening).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN", retryable: true });
  await expect(opening).rejects.toThrow(/ca_certs .*none\.pem/);
});

test("https where the server speaks http is named", async () => {
  const storage = await openStorage(elasticsearch, { url: plain.url.replace("http:", "https:") });
  await expect(storage.check?.(call)).rejects.toThrow(/http:\/\/ or https:\/\//);
  await storage.close?.();
});

test("the client is told to check certificates, and neither to retry nor to look for other nodes", async () => {
  const id = `prod:${Buffer.from("eu.example.com$abc$def").toString("base64")}`;
  const { options } = elasticsearch;
  const told = await clientOptions(options.parse({ cloud_id: id, api_key: "key", name: "archive" }));
  expect(told).toMatchObject({
    cloud: { id },
    auth: { apiKey: "key" },
    tls: { rejectUnauthorized: true },
    maxRetries: 0,
    sniffOnStart: false,
    headers: { "x-opaque-id": "archive" },
  });
  expect(told).not.toHaveProperty("node");
});

test.each([
  [{}, /url or cloud_id/],
  [{ url: "http://x", cloud_id: "a:b" }, /url or cloud_id/],
  [{ url: "http://user:secret@x" }, /user or password/],
  [{ url: "x:9200" }, /http/],
  [{ url: "http://x", username: "u" }, /go together/],
  [{ url: "http://x", username: "u", password: "p", api_key: "k" }, /either api_key/],
  [{ cloud_id: "abc" }, /name:base64/],
  [{ url: "http://x", index_prefix: "Prod_" }, /lower-case/],
  [{ url: "http://x", index_prefix: "_a" }, /lower-case/],
  [{ url: "http://x", index: "vcon_dialog" }, /parts/],
  [{ url: "http://x", refresh: "soon" }, /refresh/],
  [{ url: "http://x", name: "Größe" }, /ASCII/],
  [{ url: "http://x", verify_certs: false }, /verify_certs/],
])("the options %o are refused", (options, message) => {
  expect(() => elasticsearch.options.parse(options)).toThrow(message);
});

test("a prefix is trimmed, as in the Python server", () => {
  expect(elasticsearch.options.parse({ url: "http://x", index_prefix: " prod_ " }).index_prefix).toBe("prod_");
});
