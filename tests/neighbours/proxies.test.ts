import { request } from "node:http";
import { createClient } from "@vcon-server/client";
import { sampleVcon } from "@vcon-server/core/testing";
import { type ProxyServer, startHaproxy, startNginx } from "@vcon-server/core/testing/servers/proxies";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startGateway, type TestGateway } from "../../apps/server/api/testing/gateway.ts";

const COUNT = 2_000;
const MAX_BODY = 4 * 1024 * 1024;

/** Vcons of about 11.5 KB, a line each: 23 MB together. */
const lines = Array.from({ length: COUNT }, (_, at) => {
  const body = `turn ${at} `.repeat(1_150).slice(0, 11_000);
  return JSON.stringify({ ...sampleVcon(), attachments: [{ type: "notes", encoding: "none", body }] });
});

/** Sends a body whole, as clients do that read no answer before they have, and gives the status of the answer. */
function sendWhole(url: string, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const sending = request(url, {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": bytes.length },
    });
    sending.on("response", (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sending.on("error", reject).end(bytes);
  });
}

describe.each([
  ["nginx as Debian sets it up", startNginx, []],
  ["nginx that does not buffer requests", startNginx, ["proxy_request_buffering off;", "proxy_http_version 1.1;"]],
  ["haproxy", startHaproxy, []],
] as const)("behind %s", (_, start, settings) => {
  let gateway: TestGateway;
  let proxy: ProxyServer;
  beforeAll(async () => {
    gateway = await startGateway({ settings: { maxBodyBytes: MAX_BODY } });
    proxy = await start({ port: Number(new URL(gateway.url).port), settings });
  });
  afterAll(async () => {
    await proxy.stop();
    await gateway.close();
  });

  test("23 MB of lines are all taken, and every one has its result", async () => {
    const list = "bulk";
    const answer = await fetch(`${proxy.url}/vcons?ingress_lists=${list}`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: lines.join("\n"),
    });
    const results = (await answer.text())
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect([answer.status, results.length]).toEqual([200, COUNT]);
    expect(results).toEqual(
      Array.from({ length: COUNT }, (_, at) => expect.objectContaining({ line: at + 1, status: 201 })),
    );
    expect(await gateway.backend.depths([list])).toEqual([COUNT]);
    expect(gateway.log.filter(({ level }) => level !== "info")).toEqual([]);
  });

  test("lines that are made while they are sent are all taken as well", async () => {
    const results: number[] = [];
    for await (const { status } of createClient({ url: proxy.url }).bulk(lines.slice(0, 600))) results.push(status);
    expect(results).toEqual(Array.from({ length: 600 }, () => 201));
  });

  test.each(["/vcon", "/vcon?ingres_lists=x"])(
    "a body that is refused is answered as the server does: POST %s",
    async (path) => {
      const answered = await Promise.all(
        [1, 2, 3].map(() => sendWhole(proxy.url + path, Buffer.alloc(8 * MAX_BODY, "x"))),
      );
      expect(answered).toEqual([1, 2, 3].map(() => (path === "/vcon" ? 413 : 422)));
    },
  );
});
