import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sampleVcon } from "@vcon-server/core/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chain, startGateway, type TestGateway } from "./testing/gateway.ts";

/** Anything but a failure of ours: what is refused says why, what is accepted is kept. */
const FINE = [200, 201, 204, 304, 400, 404, 409, 412, 413, 414, 415, 422];

describe("hostile input", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({
      plan: { chains: [chain("main")], ingressAuth: new Map([["in", ["k"]]]) },
      settings: { maxBodyBytes: 200_000 },
    });
  });
  afterAll(async () => {
    expect(gateway.log.filter(({ level }) => level === "error")).toEqual([]);
    await gateway.close();
  });

  const post = (text: string) => gateway.send("POST", "/vcon", text);

  test.each<readonly [what: string, text: string]>([
    ["nothing but space", "  \n"],
    ["half an object", '{"uuid":'],
    ["NaN", `{"uuid":"${randomUUID()}","x":NaN}`],
    ["a trailing comma", `{"uuid":"${randomUUID()}",}`],
    ["an array", "[]"],
    ["a string", '"vcon"'],
    ["null", "null"],
    ["a NUL", `{"uuid":"${randomUUID()}","x":"\\u0000"}`],
    ["half a surrogate pair", `{"uuid":"${randomUUID()}","x":"\\ud800"}`],
    ["a NUL in a name", `{"uuid":"${randomUUID()}","\\u0000":1}`],
    ["nesting of 201 arrays", `{"uuid":"${randomUUID()}","x":${"[".repeat(201)}${"]".repeat(201)}}`],
    ["nesting of 90,000 arrays", `{"uuid":"${randomUUID()}","x":${"[".repeat(90_000)}${"]".repeat(90_000)}}`],
    ["a number for the uuid", '{"uuid":7}'],
    [
      "a party index out of range",
      JSON.stringify({ ...sampleVcon(), dialog: [{ type: "text", start: "2026-01-02T03:04:05Z", parties: [9] }] }),
    ],
    ["a negative duration", JSON.stringify({ ...sampleVcon(), dialog: [{ type: "text", duration: -1 }] })],
    ["parties that are none", JSON.stringify({ ...sampleVcon(), parties: "Ann" })],
  ])("%s is refused with 422 and a place", async (_what, text) => {
    const response = await post(text);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: "VCON_INPUT_INVALID",
      errors: expect.arrayContaining([expect.objectContaining({ pointer: expect.any(String), in: "body" })]),
    });
  });

  test("names that are dangerous elsewhere are members like others, and nothing is polluted", async () => {
    const text = JSON.stringify(sampleVcon()).replace(
      "{",
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},',
    );
    const response = await post(text);
    expect(response.status).toBe(201);
    expect(await response.text()).toContain('"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}');
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("a repeated member is a finding, and the last one counts", async () => {
    const vcon = sampleVcon();
    const response = await post(JSON.stringify({ ...vcon, subject: "first" }).replace(/}$/, ',"subject":"second"}'));
    expect([response.status, await response.json()]).toEqual([201, { ...vcon, subject: "second" }]);
    expect(Number(response.headers.get("x-vcon-findings"))).toBeGreaterThanOrEqual(1);
  });

  test("a long list of wrong values is answered with the first of its errors", async () => {
    const wrong = Array.from({ length: 20_000 }, () => "x");
    const response = await gateway.send("POST", "/vcon/ingress?ingress_list=main_ingress", wrong);
    const { errors } = (await response.json()) as { errors: unknown[] };
    expect([response.status, errors.length]).toEqual([422, 100]);
  });

  test("any JSON value in any place is kept exactly or refused with 422", async () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const place = fc.constantFrom(
      "x_new",
      "subject",
      "parties",
      "dialog",
      "analysis",
      "attachments",
      "created_at",
      "vcon",
      "redacted",
    );
    await fc.assert(
      fc.asyncProperty(place, value, async (name, given) => {
        const uuid = randomUUID();
        const text = JSON.stringify({ ...sampleVcon(), uuid, [name]: given });
        const response = await post(text);
        expect([201, 422]).toContain(response.status);
        if (name !== "x_new" || response.status !== 201) return;
        const kept: unknown = await (await gateway.call(`/vcon/${uuid}`)).json();
        expect(kept).toHaveProperty("x_new", JSON.parse(text)["x_new"]);
      }),
      { numRuns: 150 },
    );
  });

  test("any bytes as a body are an answer, never a crash", async () => {
    const mutated = fc.tuple(fc.nat(), fc.string({ maxLength: 3 })).map(([at, text]) => {
      const sample = JSON.stringify(sampleVcon());
      const cut = at % sample.length;
      return Buffer.from(sample.slice(0, cut) + text + sample.slice(cut + 1));
    });
    const body = fc.oneof(
      mutated,
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    const paths = [
      "/vcon",
      "/vcons",
      "/vcon/ingress?ingress_list=a",
      "/config",
      "/chain/main/ingress",
      `/vcon/${randomUUID()}`,
    ];
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.constantFrom(...paths),
        fc.constantFrom("POST", "PUT", "PATCH"),
        async (bytes, path, method) => {
          const type = path === "/vcons" ? "application/x-ndjson" : "application/json";
          const response = await gateway.call(path, { method, body: bytes, headers: { "content-type": type } });
          await response.arrayBuffer();
          expect([...FINE, 405]).toContain(response.status);
        },
      ),
      { numRuns: 250 },
    );
  });

  test("any text as a uuid, list name, chain or parameter is an answer, never a crash, and reaches no other key", async () => {
    const special = fc.constantFrom(
      "../../etc/passwd",
      "*",
      "vcon:*",
      "\0",
      "%00",
      "a\r\nb",
      "{0}",
      "vcs:{x}:leases",
      "vcons",
      "名前",
      "a b",
      "[a-z]",
      "-1",
      "1e9",
      "0x10",
      "",
    );
    const text = fc.oneof(special, fc.string({ unit: "binary", maxLength: 40 }));
    const path = fc.constantFrom(
      (at: string) => `/vcon/${at}`,
      (at: string) => `/vcon/${at}/findings`,
      (at: string) => `/chain/${at}/egress`,
      (at: string) => `/vcon/egress?egress_list=${at}`,
      (at: string) => `/vcon/egress?egress_list=a&limit=${at}`,
      (at: string) => `/vcon/count?egress_list=${at}`,
      (at: string) => `/stats/queue?list_name=${at}`,
      (at: string) => `/dlq?ingress_list=${at}`,
      (at: string) => `/dlq?ingress_list=a&offset=${at}`,
      (at: string) => `/vcon?since=${at}&page=${at}`,
      (at: string) => `/vcons?vcon_uuids=${at}`,
      (at: string) => `/vcons/search?tel=${at}&name=${at}`,
      (at: string) => `/${at}`,
    );
    await fc.assert(
      fc.asyncProperty(path, text, async (make, value) => {
        const response = await gateway.call(make(encodeURIComponent(value.toWellFormed())));
        expect(FINE).toContain(response.status);
        const listed = /(?:egress_list|list_name|ingress_list)=$/.exec(make(""));
        if (listed && response.status === 200) expect(value).toMatch(/^[A-Za-z0-9:_.-]{1,128}$/);
      }),
      { numRuns: 400 },
    );
  });

  test("percent signs that encode nothing are refused, not failed", async () => {
    for (const path of ["/vcon/%zz", "/vcon/%", "/%c0%ae"]) expect(FINE).toContain((await gateway.call(path)).status);
  });
});

describe("documents of the field", () => {
  test("are stored or refused with a place; what is stored comes back", async () => {
    const folders = [
      new URL("../../../packages/vcon/testdata/constructed", import.meta.url).pathname,
      new URL("../../../../shared/fixtures", import.meta.url).pathname,
    ];
    const gateway = await startGateway({ settings: { maxBodyBytes: 1_000_000 } });
    for (const folder of folders) {
      const names = await readdir(folder).catch(() => undefined);
      if (names === undefined && folder !== folders[0]) {
        process.stdout.write(`there is no ${folder}, which is not part of the project: its documents are not read\n`);
        continue;
      }
      const files = (names ?? []).filter((name) => /\.(vcon|json)$/.test(name) && name !== "manifest.json");
      expect([folder, files.length > 0]).toEqual([folder, true]);
      for (const name of files) {
        const response = await gateway.send("POST", "/vcon?give_uuid=true", await readFile(join(folder, name), "utf8"));
        expect([name, [201, 422].includes(response.status)]).toEqual([name, true]);
        const answer: unknown = await response.json();
        if (response.status === 422)
          expect(answer).toMatchObject({
            errors: expect.arrayContaining([expect.objectContaining({ pointer: expect.any(String) })]),
          });
        else expect(await (await gateway.call(response.headers.get("location") ?? "")).json()).toEqual(answer);
      }
      process.stdout.write(`read ${files.length} documents of ${folder}\n`);
    }
    await gateway.close();
  });
});
