import { describe, expect, test } from "vitest";
import { upgrade } from "./index.ts";

const dialog = (members: object) => ({ dialog: [members] });
const analysis = (members: object) => ({ analysis: [members] });
const attachment = (members: object) => ({ attachments: [members] });

describe("older names become current ones", () => {
  test.each([
    [
      { vcon: "0.0.1", must_support: ["CC"] },
      { vcon: "0.4.0", critical: ["CC"] },
    ],
    [
      { vcon: "0.0.2", must_understand: ["CC"] },
      { vcon: "0.4.0", critical: ["CC"] },
    ],
    [
      { vcon: "0.3.0", appended: { uuid: "x" } },
      { vcon: "0.4.0", amended: { uuid: "x" } },
    ],
    [{ vcon: "", group: [], redacted: {} }, { vcon: "0.4.0" }],
    [{ appended: { uuid: "old" }, amended: { uuid: "new" } }, { amended: { uuid: "new" } }],
    [{ appended: { uuid: "old" }, amended: {} }, { amended: { uuid: "old" } }],
    [
      dialog({ mimetype: "text/plain", schema_version: "1", must_support: ["x"] }),
      dialog({ mediatype: "text/plain", schema: "1", critical: ["x"] }),
    ],
    [dialog({ mimetype: "text/plain", mediatype: "audio/ogg" }), dialog({ mediatype: "audio/ogg" })],
    [dialog({ "transfer-target": 1, "target-dialog": [0] }), dialog({ transfer_target: 1, target_dialog: [0] })],
    [dialog({ duration: "30.5" }), dialog({ duration: 30.5 })],
    [analysis({ vendor_schema: "s", vendor_product: "p" }), analysis({ schema: "s", product: "p" })],
    [analysis({ transcript: { a: 1 } }), analysis({ body: { a: 1 }, encoding: "json" })],
    [analysis({ transcript: "hello" }), analysis({ body: "hello", encoding: "none" })],
    [attachment({ type: "tags" }), attachment({ purpose: "tags" })],
    [attachment({ type: "tags", purpose: "notes" }), attachment({ type: "tags", purpose: "notes" })],
    [
      { created_at: 1_700_000_000, updated_at: 1_700_000_000.5 },
      { created_at: "2023-11-14T22:13:20Z", updated_at: "2023-11-14T22:13:20.500Z" },
    ],
    [
      dialog({ session_id: "ab30317f1a784dc48ff824d0d3715d86; remote=47755a9de7794ba387653f2099600ef2" }),
      dialog({
        session_id: { local: "ab30317f-1a78-4dc4-8ff8-24d0d3715d86", remote: "47755a9d-e779-4ba3-8765-3f2099600ef2" },
      }),
    ],
  ])("%j", (before, after) => {
    expect(upgrade(before)).toEqual(after);
    const again = upgrade(before);
    expect(upgrade(again)).toBe(again);
  });

  test("null in members of the draft is left out, elsewhere it stays", () => {
    const before = {
      subject: null,
      appended: null,
      extra: null,
      ...dialog({ url: null, body: null, meta: null }),
      parties: [{ tel: null, x: null }],
    };
    expect(upgrade(before)).toEqual({ extra: null, ...dialog({ body: null, meta: null }), parties: [{ x: null }] });
  });
});

describe("what stays exactly as it is", () => {
  test.each([
    [
      {
        vcon: "0.5.0",
        sessions: [{ start: "x" }],
        events: [{}],
        redacted_from: { uuid: "a" },
        amended_from: { uuid: "b" },
      },
    ],
    [{ vcon: "0.4.0", group: [{}], redacted: { type: "PII" } }],
    [{ created_at: "2024-03-16T16:09:20.701906", created: 5 }],
    [{ created_at: 1e300 }],
    [dialog({ body: { mimetype: "a/b", type: "x" }, encoding: "none", meta: { mimetype: "c/d" } })],
    [dialog({ session_id: "ab30317f1a784dc48ff824d0d3715d86", duration: "long", parties: [0, null, [1]] })],
    [analysis({ vendor_schema: { model: "x" }, body: "[1]", encoding: "json" })],
    [analysis({ transcript: "old", body: "new", encoding: "none" })],
    [attachment({ type: 5, alg: "SHA-512", signature: "x" })],
    [{ parties: [{ email: "a@b.example", role: "agent", mimetype: "x" }], mimetype: "top" }],
    [JSON.parse('{"dialog":[{"__proto__":{"mimetype":"x/y"},"constructor":1}],"__proto__":{"appended":{}}}')],
  ])("%j", (vcon) => {
    expect(upgrade(vcon)).toBe(vcon);
  });

  test("members keep their order, also those named like something of JavaScript", () => {
    const before = JSON.parse('{"attachments":[{"x":1,"type":"t","__proto__":{"a":1},"y":2}]}');
    expect(JSON.stringify(upgrade(before))).toBe('{"attachments":[{"x":1,"purpose":"t","__proto__":{"a":1},"y":2}]}');
  });
});
