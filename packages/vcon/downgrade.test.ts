import { describe, expect, test } from "vitest";
import { downgrade, EGRESS_VERSIONS, parseVcon, upgrade, type Vcon } from "./index.ts";
import { jsonText } from "./json.ts";

const UUID = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";
const vcon = (members: object): Vcon => parseVcon(JSON.stringify({ uuid: UUID, parties: [], ...members }));
const SESSION = { local: "ab30317f-1a78-4dc4-8ff8-24d0d3715d86", remote: "47755a9d-e779-4ba3-8765-3f2099600ef2" };

const NUMBER = "12345678901234567890";
const RAW: unknown = jsonText(NUMBER);

const CURRENT = vcon({
  vcon: "0.4.0",
  amended: { uuid: "x" },
  critical: ["CC"],
  extra: { mediatype: "kept" },
  dialog: [
    { type: "text", mediatype: "text/plain", body: { a: 1 }, encoding: "json", session_id: SESSION, critical: ["y"] },
  ],
  analysis: [
    {
      type: "summary",
      schema: "s",
      mediatype: "application/json",
      body: `{"n":${NUMBER}}`,
      encoding: "json",
    },
    { type: "x", body: "no json", encoding: "json" },
    { type: "y", body: [1], encoding: "json" },
    { type: "z", body: "[1]", encoding: "none" },
  ],
  attachments: [
    { purpose: "tags", body: '["a:1"]', encoding: "json" },
    { purpose: "p", type: "t" },
  ],
});

describe("0.0.1", () => {
  const old = downgrade(CURRENT, "0.0.1");

  test("has the names and the bodies of 0.0.1, and what it demands", () => {
    expect(old).toEqual({
      uuid: UUID,
      vcon: "0.0.1",
      parties: [],
      group: [],
      redacted: {},
      appended: { uuid: "x" },
      must_support: ["CC"],
      extra: { mediatype: "kept" },
      dialog: [
        {
          type: "text",
          mimetype: "text/plain",
          body: { a: 1 },
          encoding: "json",
          session_id: SESSION,
          must_support: ["y"],
        },
      ],
      analysis: [
        {
          type: "summary",
          schema_version: "s",
          mimetype: "application/json",
          body: { n: RAW },
          encoding: "none",
        },
        { type: "x", body: "no json", encoding: "json" },
        { type: "y", body: [1], encoding: "none" },
        { type: "z", body: "[1]", encoding: "none" },
      ],
      attachments: [
        { type: "tags", body: ["a:1"], encoding: "none" },
        { purpose: "p", type: "t" },
      ],
    });
    expect(JSON.stringify(old)).toContain(NUMBER);
  });

  test("adds appended: null, group and redacted only where they are missing", () => {
    expect(downgrade(vcon({}), "0.0.1")).toEqual({
      uuid: UUID,
      vcon: "0.0.1",
      parties: [],
      group: [],
      redacted: {},
      appended: null,
    });
    expect(downgrade(vcon({ redacted: { type: "PII" } }), "0.0.1").redacted).toEqual({ type: "PII" });
  });

  test("keeps the older member where both stand", () => {
    const both = vcon({
      appended: { uuid: "old" },
      amended: { uuid: "new" },
      dialog: [{ type: "text", mimetype: "a/b", mediatype: "c/d" }],
    });
    expect(downgrade(both, "0.0.1")).toMatchObject({
      appended: { uuid: "old" },
      dialog: [{ type: "text", mimetype: "a/b" }],
    });
    expect(downgrade(both, "0.0.1")).not.toHaveProperty("amended");
  });
});

test("0.3.0 has its names, and bodies that are text", () => {
  expect(downgrade(CURRENT, "0.3.0")).toMatchObject({
    vcon: "0.3.0",
    appended: { uuid: "x" },
    must_support: ["CC"],
    dialog: [
      {
        mediatype: "text/plain",
        body: '{"a":1}',
        encoding: "json",
        session_id: "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2",
        must_support: ["y"],
      },
    ],
    analysis: [{ schema: "s", encoding: "json" }, { body: "no json" }, { body: "[1]", encoding: "json" }, {}],
    attachments: [
      { type: "tags", body: '["a:1"]', encoding: "json" },
      { purpose: "p", type: "t" },
    ],
  });
});

test("0.4.0 says so and changes nothing else", () => {
  expect(downgrade(CURRENT, "0.4.0")).toBe(CURRENT);
  expect(downgrade(vcon({ x: null }), "0.4.0")).toEqual({ uuid: UUID, parties: [], x: null, vcon: "0.4.0" });
});

test("sealed documents leave as they came, and nothing is mutated", () => {
  const sealed = parseVcon(JSON.stringify({ ciphertext: "c", recipients: [], unprotected: { uuid: UUID } }));
  const before = JSON.stringify(CURRENT);
  for (const version of EGRESS_VERSIONS) {
    expect(downgrade(sealed, version)).toBe(sealed);
    downgrade(CURRENT, version);
  }
  expect(JSON.stringify(CURRENT)).toBe(before);
});

test("names survive the way out and in again", () => {
  const { dialog, amended, critical, extra } = CURRENT;
  for (const version of ["0.0.1", "0.3.0"] as const) {
    const back = upgrade(downgrade(CURRENT, version));
    expect(back).toMatchObject({ vcon: "0.4.0", amended, critical, extra });
    expect(back).toMatchObject({
      dialog: [{ mediatype: dialog?.[0]?.mediatype, session_id: SESSION, critical: ["y"] }],
    });
  }
});
