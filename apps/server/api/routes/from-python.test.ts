import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { downgrade, parseVcon } from "@vcon-server/vcon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { json, startGateway, type TestGateway } from "../testing/gateway.ts";

/** Tests the statements about documents in the guide for users of the Python server. */

const GUIDE = readFileSync(join(import.meta.dirname, "../../../../docs/from-python.md"), "utf8");

/** Cells of the table under a heading, without marks of code. */
function rowsUnder(heading: string): string[][] {
  const section = GUIDE.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim().replace(/^`(.*)`$/, "$1")))
    .map((cells) => cells.slice(1, -1));
}

const ARCHIVED = randomUUID();
let gateway: TestGateway;
beforeAll(async () => {
  const archived = downgrade(
    parseVcon(
      JSON.stringify({
        uuid: ARCHIVED,
        dialog: [{ type: "text", mediatype: "text/plain", body: "hi", encoding: "none" }],
        attachments: [{ purpose: "tags", body: '["a:b"]', encoding: "json" }],
      }),
    ),
    "0.0.1",
  );
  gateway = await startGateway({ stored: new Map([[ARCHIVED, archived]]) });
});
afterAll(() => gateway.close());

const post = (members: object) =>
  gateway.send("POST", "/vcon", { uuid: randomUUID(), created_at: "2026-09-14T08:30:00Z", ...members });

describe("what is refused at the door", () => {
  const rows = rowsUnder("What is refused at the door");
  test("is told row by row", () => expect(rows.length).toBeGreaterThan(15));

  test.each(rows)("%s: %s", async (_, example = "", _python, here = "") => {
    const response = await post(JSON.parse(example));
    expect(response.status).toBe(here.startsWith("refused") ? 422 : 201);
    if (here !== "taken, as a finding") return;
    const { uuid } = await json(response);
    const findings: unknown = await (await gateway.call(`/vcon/${String(uuid)}/findings`)).json();
    expect(findings).toContainEqual(expect.objectContaining({ level: "MUST" }));
  });

  test("numbers as text come out as numbers", async () => {
    const stored = await json(await post({ parties: [{}], dialog: [{ duration: "12.5", parties: ["0"] }] }));
    expect(stored).toMatchObject({ dialog: [{ duration: 12.5, parties: [0] }] });
  });
});

test.each(rowsUnder("Numbers"))("the number %s is stored as %s", async (sent = "", stored = "") => {
  const uuid = randomUUID();
  const text = (number: string) => `{"uuid":"${uuid}","parties":[],"meta":{"a":[${number}]}}`;
  expect((await gateway.send("POST", "/vcon", text(sent))).status).toBe(201);
  const response = await gateway.call(`/vcon/${uuid}`);
  expect(await response.text()).toBe(text(stored));
});

test("another spelling of a number is the same content", async () => {
  const text = `{"uuid":"${randomUUID()}","parties":[],"dialog":[{"type":"text","duration":12.0}]}`;
  const queue = (body: string) => gateway.send("POST", "/vcon?ingress_lists=numbers", body);
  expect((await queue(text)).headers.get("x-vcon-queued")).toBe("1");
  expect((await queue(text.replace("12.0", "1.2E1"))).headers.get("x-vcon-queued")).toBe("0");
});

test("members of the draft that are null are left out, others stay", async () => {
  const stored = await json(await post({ subject: null, group: [], parties: [{ tel: null, jcard: null }], x: null }));
  expect(stored).toMatchObject({ parties: [{ jcard: null }], x: null });
  for (const gone of ["subject", "group", "parties.0.tel"]) expect(stored).not.toHaveProperty(gone);
});

test("an archive in the form of 0.0.1 is read in the names of the current draft, and goes out in either form", async () => {
  expect(await json(await gateway.call(`/vcon/${ARCHIVED}`))).toMatchObject({
    vcon: "0.4.0",
    dialog: [{ mediatype: "text/plain" }],
    attachments: [{ purpose: "tags", body: ["a:b"] }],
  });
  expect(await json(await gateway.call(`/vcon/${ARCHIVED}?egress_format_version=0.0.1`))).toMatchObject({
    vcon: "0.0.1",
    dialog: [{ mimetype: "text/plain" }],
    attachments: [{ type: "tags" }],
  });
});
