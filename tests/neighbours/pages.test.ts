import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Browser, startChromium } from "../stage/chromium.ts";
import { type Folder, makeFolder } from "../stage/folder.ts";
import { type RunningServer, startServer } from "../stage/server.ts";

const UUID = "0198a3e0-7d7a-8c3e-9f00-000000000001";
const vcon = (subject: string, uuid = UUID) => ({
  vcon: "0.4.0",
  uuid,
  created_at: "2026-01-02T03:04:05Z",
  subject,
  parties: [{ tel: "+15551230001" }],
});

/** Everything a page can make a browser send to the server at `base`; resolves with what it could read. */
const attack = (base: string): string => `(async () => {
  const base = ${JSON.stringify(base)};
  const seen = [];
  const send = async (path, init) => {
    try {
      const answer = await fetch(base + path, init);
      seen.push(path + " " + answer.status + " " + (await answer.text()).slice(0, 200));
    } catch (error) {
      seen.push(path + " " + error.name);
    }
  };
  const element = (make) => new Promise((resolve) => {
    const made = make();
    made.onload = made.onerror = resolve;
    document.body.append(made);
    if (made.submitted) made.submitted();
  });
  const untyped = new Blob([${JSON.stringify(JSON.stringify(vcon("from a page")))}]);
  const config = new Blob([${JSON.stringify(JSON.stringify({ chains: { taken: { egress_lists: ["out"] } } }))}]);
  for (const mode of ["cors", "no-cors"]) {
    await send("/api/vcon/${UUID}", { mode });
    await send("/api/vcon/egress?egress_list=taken", { mode });
    await send("/api/vcon?ingress_lists=taken", { mode, method: "POST", body: untyped });
    await send("/api/config", { mode, method: "POST", body: config });
    await send("/api/dlq/reprocess?ingress_list=taken", { mode, method: "POST" });
  }
  await send("/api/vcon/${UUID}", { method: "DELETE" });
  await send("/api/vcon", { method: "POST", headers: { "content-type": "application/json" }, body: untyped });
  await element(() => Object.assign(new Image(), { src: base + "/api/vcon/egress?egress_list=taken&a" }));
  await element(() => Object.assign(document.createElement("script"), { src: base + "/api/vcon/egress?egress_list=taken&b" }));
  await element(() => {
    const frame = Object.assign(document.createElement("iframe"), { name: "out" });
    const form = Object.assign(document.createElement("form"), {
      method: "post", target: "out", enctype: "text/plain", action: base + "/api/vcon?ingress_lists=taken",
    });
    form.append(Object.assign(document.createElement("input"), { name: '{"uuid":"${UUID}","x":"', value: '"}' }));
    document.body.append(form);
    return Object.assign(frame, { submitted: () => form.submit() });
  });
  return seen.join("\\n");
})()`;

describe("a server without a token beside a browser on the same machine", () => {
  let folder: Folder;
  let server: RunningServer;
  let browser: Browser;
  let port: number;
  const page = createServer(({ url = "/" }, response) => {
    const to = new URL(url, "http://page").searchParams.get("to");
    if (to === null) response.setHeader("content-type", "text/html").end("<body>hello");
    else response.writeHead(302, { location: to }).end();
  });
  let pages: number;

  const api = (path: string, init?: RequestInit) => fetch(`${server.url}/api${path}`, init);
  const store = (subject: string) =>
    api("/vcon?ingress_lists=taken&requeue=true", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(vcon(subject)),
    });
  const state = async () => ({
    config: readFileSync(folder.configFile, "utf8"),
    subject: ((await (await api(`/vcon/${UUID}`)).json()) as { subject: string }).subject,
    depth: await (await api("/stats/queue?list_name=taken")).json(),
    vcons: await (await api("/vcon")).json(),
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
    ({ port: pages } = page.address() as AddressInfo);
    port = await freePort();
    // no chain takes from the list `taken`
    folder = makeFolder(() => ({ chains: { idle: { ingress_lists: ["idle"], links: [] } } }));
    const env = { CONSERVER_CORS_ORIGINS: `http://ui.test:${pages}` };
    const { path, configFile } = folder;
    server = await startServer({ verb: "start", port, folder: path, configFile, env });
    browser = await startChromium({ rules: "MAP *.test 127.0.0.1" });
  });
  beforeEach(async () => {
    expect((await store("private")).status).toBe(201);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    page.close();
    folder?.remove();
  });

  test.each([
    ["of another site", () => `http://evil.test:${pages}/`, () => `http://127.0.0.1:${port}`],
    ["of another port of the same host", () => `http://127.0.0.1:${pages}/`, () => `http://127.0.0.1:${port}`],
    ["of no origin", () => "data:text/html,<body>hello", () => `http://localhost:${port}`],
    // what DNS rebinding ends in: the page's own name leads to the server, and to the browser both are one origin
    ["whose name has come to lead to the server", () => `http://rebound.test:${port}/health/live`, () => ""],
  ])("a page %s changes and reads nothing", async (_what, url, base) => {
    const before = await state();
    const seen = String(await browser.run(url(), attack(base())));
    expect(seen).toContain("/api/vcon/egress");
    expect(seen).not.toContain("private");
    expect(seen).not.toMatch(/ 20\d /);
    expect(await state()).toEqual(before);
  });

  test("a link in a mail that is redirected to the server takes nothing off a list", async () => {
    const before = await state();
    const target = `http://127.0.0.1:${port}/api/vcon/egress?egress_list=taken`;
    // opened from outside of the browser, it belongs to no page, and keeps that through redirects
    const link = `http://evil.test:${pages}/?to=${encodeURIComponent(target)}`;
    expect(await browser.run(link, "document.body.innerText")).toContain("VCON_PAGE_REFUSED");
    expect(await state()).toEqual(before);
  });

  test("a page of the server itself and one of a listed origin can do both", async () => {
    for (const [url, base] of [
      [`http://localhost:${port}/docs/`, ""],
      [`http://ui.test:${pages}/`, `http://127.0.0.1:${port}`],
    ] as const) {
      await store("private");
      const take = `fetch(${JSON.stringify(base)} + "/api/vcon/egress?egress_list=taken").then((answer) => answer.json())`;
      expect(await browser.run(url, take)).toContain(UUID);
      const write = `fetch(${JSON.stringify(base)} + "/api/vcon", { method: "POST", headers: { "content-type": "application/json" }, body: ${JSON.stringify(JSON.stringify(vcon("changed in the page")))} }).then((answer) => answer.status)`;
      expect(await browser.run(url, write)).toBe(201);
      expect((await state()).subject).toBe("changed in the page");
    }
  });
});
