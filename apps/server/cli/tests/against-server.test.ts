import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientError, createClient } from "@vcon-server/client";
import { sampleVcon } from "@vcon-server/core/testing";
import { serialize } from "@vcon-server/vcon";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chain, startGateway, type TestGateway } from "../../api/testing/gateway.ts";
import { run } from "./test-terminal.ts";

const cwd = mkdtempSync(join(tmpdir(), "against-server-"));
const token = "a-token-for-this-test";
const SHOWN = { chains: { sales: { links: [] } } };
let gateway: TestGateway;
let where: readonly string[];

beforeAll(async () => {
  gateway = await startGateway({ settings: { apiTokens: [token] }, plan: { chains: [chain("sales")], shown: SHOWN } });
  where = ["--url", gateway.url, "--token", token];
});
afterAll(async () => {
  await gateway.close();
  rmSync(cwd, { recursive: true });
});

const file = (name: string, text: string) => writeFileSync(join(cwd, name), text);

test("send: one vCon to a chain; get: the same back, whole and in other versions", async () => {
  const vcon = sampleVcon({ subject: "sent by hand" });
  file("one.json", `{"x_large":12345678901234567890,\n${serialize(vcon).slice(1)}`);
  const sent = await run(["send", "one.json", "--chain", "sales", ...where], { cwd });
  expect(sent).toMatchObject({
    code: 0,
    out: `${vcon.uuid}\n`,
    err: expect.stringContaining("1 sent to sales_ingress"),
  });
  expect(await gateway.backend.peek("sales_ingress", 0, 9)).toEqual([vcon.uuid]);

  const got = await run(["get", vcon.uuid.toUpperCase(), ...where], { cwd });
  expect(got.out).toContain('\n  "x_large": 12345678901234567890,\n');
  const raw = await run(["get", vcon.uuid, "--raw", "--format-version", "0.0.1", ...where], { cwd });
  expect(JSON.parse(raw.out)).toMatchObject({ vcon: "0.0.1", subject: "sent by hand" });
  const json = JSON.parse((await run(["get", vcon.uuid, "--json", ...where], { cwd })).out);
  expect(json).toMatchObject({ uuid: vcon.uuid, etag: '"1"', vcon: { uuid: vcon.uuid } });

  const again = await run(["send", "one.json", "--list", "sales_ingress", ...where], { cwd });
  expect(again).toMatchObject({ code: 0, err: expect.stringContaining("1 of them unchanged") });
  const elsewhere = await run(["send", "one.json", "--list", "another", ...where], { cwd });
  expect(elsewhere.err).toMatch(/^1 sent to another \(/m);
  expect(elsewhere.err).toMatch(/^no chain takes from another$/m);
  const mistyped = await run(["send", "one.json", "--list", "salesin_gress", ...where], { cwd });
  expect(mistyped.err).toMatch(/^no chain takes from salesin_gress; did you mean sales_ingress\?$/m);
  expect(sent.err).not.toContain("no chain");
  await run(["send", "one.json", "--list", "sales_ingress", "--requeue", ...where], { cwd });
  expect(await gateway.backend.pop("sales_ingress", 9)).toEqual([vcon.uuid, vcon.uuid]);
});

test("send: of many the bad ones are named with their places, the good ones are stored; a resume sends only what is left", async () => {
  const vcons = Array.from({ length: 700 }, () => sampleVcon());
  const lines = vcons.map(serialize);
  lines[5] = '{"vcon":"0.4.0"}';
  lines[600] = "not JSON";
  file("many.ndjson", lines.join("\n"));
  const args = ["send", "many.ndjson", "--list", "many", "--resume", "many.state", "--json", ...where];
  const first = await run(args, { cwd });
  expect(first.code).toBe(1);
  const { sent, refused } = JSON.parse(first.out);
  expect(sent).toBe(698);
  expect(refused).toMatchObject([
    { source: "many.ndjson", line: 6, code: expect.stringMatching(/^VCON_INPUT/), detail: expect.stringMatching(/\S/) },
    { source: "many.ndjson", line: 601, code: expect.stringMatching(/^VCON_INPUT/) },
  ]);
  expect(await gateway.backend.depths(["many"])).toEqual([698]);
  const second = JSON.parse((await run(args, { cwd })).out);
  expect(second).toMatchObject({ sent: 0, skipped: 698, refused: [{ line: 6 }, { line: 601 }] });
  expect(readFileSync(join(cwd, "many.state"), "utf8").split("\n").length).toBeLessThan(20);
});

test("send: lines from standard input, uuids given by the server where they are missing", async () => {
  const { uuid: _, ...nameless } = sampleVcon();
  const stdin = `${JSON.stringify(nameless)}\n${JSON.stringify(nameless)}\n`;
  const { code, out } = await run(["send", "-", "--give-uuid", "--json", ...where], { cwd, stdin });
  expect(code).toBe(0);
  expect(new Set(JSON.parse(out).uuids).size).toBe(2);
});

test("send: an interruption says what is done, and a resume finishes it", async () => {
  const stop = new AbortController();
  file("cut.ndjson", Array.from({ length: 600 }, () => serialize(sampleVcon())).join("\n"));
  const args = ["send", "cut.ndjson", "--list", "cut", "--resume", "cut.state", ...where];
  stop.abort();
  expect(await run(args, { cwd, interrupted: stop.signal })).toMatchObject({
    code: 1,
    err: expect.stringContaining("CLIENT_ABORTED"),
  });
  expect((await run(args, { cwd })).code).toBe(0);
  expect(await gateway.backend.depths(["cut"])).toEqual([600]);
});

test("what goes wrong is said with its remedy", async () => {
  const uuid = sampleVcon().uuid;
  expect(await run(["get", uuid, ...where], { cwd })).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^VCON_NOT_FOUND: there is no vCon/),
  });
  const refused = await run(["get", uuid, "--url", gateway.url, "--token", "wrong"], { cwd });
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/^VCON_AUTH_REFUSED: [\s\S]*--token/) });
  const chains = await run(["send", "one.json", "--chain", "salse", ...where], { cwd });
  expect(chains).toMatchObject({ code: 1, err: expect.stringContaining("sales") });
  const resumed = await run(["send", "-", "--resume", "x", ...where], { cwd });
  expect(resumed).toMatchObject({ code: 2, err: expect.stringContaining("standard input") });
});

test("the client and the gateway mean the same on every route", async () => {
  const client = createClient({ url: `${gateway.url}/api`, token });
  const vcon = sampleVcon({ subject: "first" });
  const stored = await client.post(vcon, { lists: ["in"] });
  expect(stored.vcon).toMatchObject({ uuid: vcon.uuid, subject: "first" });
  const changed = await client.patch(vcon.uuid, { subject: "second" }, { ifMatch: stored.etag ?? "" });
  expect(changed.vcon.subject).toBe("second");
  await expect(client.put(vcon.uuid, vcon, { ifMatch: stored.etag ?? "" })).rejects.toMatchObject({
    code: "VCON_PRECONDITION",
    status: 412,
  });
  await expect(client.put(vcon.uuid, vcon, { ifNoneMatch: "*" })).rejects.toBeInstanceOf(ClientError);
  expect((await client.patch(vcon.uuid, [{ op: "replace", path: "/subject", value: "third" }])).vcon.subject).toBe(
    "third",
  );
  expect((await client.getMany([vcon.uuid, sampleVcon().uuid])).map((one) => one?.subject)).toEqual([
    "third",
    undefined,
  ]);
  expect(await client.search({ tel: "+12025550123", name: "Ann" })).toContain(vcon.uuid);
  expect(await client.list({ size: 1000 })).toContain(vcon.uuid);
  await client.queue("in", [vcon.uuid]);
  expect(await client.depth("in")).toBe(2);
  expect(await client.egress("in", 5)).toEqual([vcon.uuid, vcon.uuid]);
  expect(await client.chainIngress("sales", [vcon.uuid])).toMatchObject({ list: "sales_ingress", queued: 1 });
  expect((await client.chainPost("sales", sampleVcon({ subject: "to a chain" }))).vcon.subject).toBe("to a chain");
  await gateway.backend.push("sales_egress", [vcon.uuid]);
  expect(await client.chainEgress("sales")).toEqual([vcon.uuid]);
  await gateway.backend.push("sales_dlq", [vcon.uuid]);
  expect(await client.deadLetters("sales_ingress")).toMatchObject([{ uuid: vcon.uuid }]);
  expect(await client.reprocess("sales_ingress")).toBe(1);
  expect(await client.findings(vcon.uuid)).toBeDefined();
  expect(await client.deliveries(vcon.uuid)).toEqual({});
  expect(await client.config()).toEqual(SHOWN);
  expect((await client.version()).version).toMatch(/\S/);
  expect((await client.health()).status).toBe("healthy");
  expect(await client.ready()).toMatchObject({ ready: true });
  await client.delete(vcon.uuid);
  expect(await client.get(vcon.uuid)).toBeUndefined();
});
