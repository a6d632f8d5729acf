import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeBase64url, parseVcon, type ReadOptions, readVcon, serialize, uuidMaker } from "./index.ts";

const UUID = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";
const CREATED = "2026-09-14T08:30:00Z";
const text = (members: object) => JSON.stringify({ uuid: UUID, created_at: CREATED, parties: [{}], ...members });
const errorsOf = (input: string, options?: ReadOptions) => {
  const result = readVcon(input, options);
  return result.ok ? [] : result.errors;
};
const giveUuid = uuidMaker({ now: () => 1_789_374_600_862, random: () => 0, host: "example.com" });

describe("what comes out", () => {
  test("is the document in current names, with what was wrong with the one that came in", () => {
    const result = readVcon(
      text({ vcon: "0.0.1", dialog: [{ type: "text", mimetype: "text/plain", body: "hi" }], extra: { a: [null] } }),
    );
    expect(result).toMatchObject({
      ok: true,
      uuid: UUID,
      form: "unsigned",
      given: false,
      vcon: {
        uuid: UUID,
        vcon: "0.4.0",
        dialog: [{ type: "text", mediatype: "text/plain", body: "hi" }],
        extra: { a: [null] },
      },
    });
    const codes = result.findings.map(({ code, pointer }) => `${code} ${pointer}`);
    expect(codes).toContain("dialog.mediatype-missing /dialog/0/mediatype");
    expect(codes).toContain("vcon.version-value /vcon");
  });

  test("is the same from text, bytes and a value, and no null is put in", () => {
    const input = text({ dialog: [{ type: "text", parties: 0 }] });
    const fromText = readVcon(input);
    expect(readVcon(new TextEncoder().encode(input))).toEqual(fromText);
    expect(readVcon(JSON.parse(input))).toEqual(fromText);
    expect(fromText.ok && serialize(fromText.vcon)).toBe(input);
  });

  test("has the uuid in the one form the server writes", () => {
    for (const uuid of [UUID.toUpperCase(), `{${UUID}}`, UUID.replaceAll("-", ""), `urn:uuid:${UUID}`]) {
      expect(readVcon(text({ uuid }))).toMatchObject({ ok: true, uuid: UUID, vcon: { uuid: UUID } });
    }
  });

  test("repeated members are a finding, the last one counts", () => {
    const result = readVcon(`{"uuid":"x","created_at":"${CREATED}","parties":[],"uuid":"${UUID}"}`);
    expect(result).toMatchObject({ ok: true, uuid: UUID });
    expect(result.findings[0]).toMatchObject({ code: "form.duplicate-key", rule: 2, pointer: "/uuid", fatal: false });
  });
});

describe("a uuid is given only on request", () => {
  test.each([{}, { uuid: null }, { uuid: "SAMPLE-1" }, { uuid: 5 }])("to %j", (members) => {
    const input = JSON.stringify({ created_at: CREATED, parties: [{}], ...members });
    expect(errorsOf(input)).toMatchObject([{ loc: ["uuid"] }]);
    const result = readVcon(input, { giveUuid });
    expect(result).toMatchObject({ ok: true, given: true });
    expect(result.ok && result.vcon.uuid).toBe(result.ok && result.uuid);
    expect(result.findings.map(({ code }) => code).filter((code) => code.startsWith("vcon.uuid"))).toHaveLength(1);
  });

  test("not to one that has a usable one, and not to a sealed one", () => {
    expect(readVcon(text({}), { giveUuid })).toMatchObject({ ok: true, given: false, uuid: UUID });
    const sealed = JSON.stringify({ ciphertext: "x", recipients: [], unprotected: {} });
    expect(errorsOf(sealed, { giveUuid })).toMatchObject([{ code: "vcon.uuid-missing", pointer: "" }]);
  });
});

describe("what is refused says where and why", () => {
  test.each([
    ["[]", "form.json", [], "json_invalid"],
    ['"eyJ.eyJ.x"', "form.json", [], "json_invalid"],
    ["{", "form.json", [], "json_invalid"],
    ["{}", "form.unrecognised", [], "value_error"],
    [`{"payload":"x","signature":"y","protected":"z"}`, "form.unrecognised", [], "value_error"],
    [text({ dialog: [{ type: "text", duration: -1 }] }), "dialog.duration", ["dialog", 0, "duration"], "value_error"],
    [
      text({ dialog: [{ type: "text", parties: [[0, 7]] }] }),
      "index.party-range",
      ["dialog", 0, "parties", 0, 1],
      "value_error",
    ],
    [text({ parties: { "0": {} } }), "vcon.array-type", ["parties"], "list_type"],
    [text({ subject: 5 }), "vcon.subject-type", ["subject"], "string_type"],
    [text({ "a/b": "\0" }), "form.nul", ["a/b"], "value_error"],
    [text({ created_at: "yesterday" }), "vcon.created_at-date", ["created_at"], "datetime_parsing"],
  ])("%s", (input, code, loc, type) => {
    expect(errorsOf(input)).toMatchObject([{ code, loc, type, fatal: true }]);
  });

  test("all problems are told at once", () => {
    const bad = text({
      parties: [{ tel: "somebody" }],
      dialog: [{ type: "text", url: "nowhere", mediatype: "x", parties: [3] }],
    });
    expect(
      errorsOf(bad)
        .map(({ pointer }) => pointer)
        .sort(),
    ).toEqual(["/dialog/0/parties/0", "/dialog/0/url", "/parties/0/tel"]);
  });

  test("a limit of depth of one's own", () => {
    expect(errorsOf(text({ x: [[[1]]] }), { maxDepth: 3 })).toMatchObject([{ code: "form.depth", pointer: "/x/0/0" }]);
    expect(readVcon(JSON.parse(text({ x: [[[1]]] })), { maxDepth: 3 })).toMatchObject({ ok: false });
  });
});

describe("what can be understood is taken in with a finding, and refused under strict", () => {
  const talk = { type: "text", start: CREATED, parties: [0], body: "hi", encoding: "none", mediatype: "text/plain" };
  const note = { start: CREATED, party: 0, dialog: 0, body: "x", encoding: "none", mediatype: "text/plain" };
  const seen = { type: "summary", vendor: "v", body: "x", encoding: "none", mediatype: "text/plain" };
  const withDialog = (members: object) => ({ dialog: [{ ...talk, ...members }] });
  const withAttachment = (members: object) => ({ dialog: [talk], attachments: [{ ...note, ...members }] });
  const transfer = { type: "transfer", transferee: 7, transferor: 0, original: 5, target_dialog: 0 };

  const cases: readonly (readonly [object, ...string[]])[] = [
    [{ attachments: [note] }, "index.dialog-range /attachments/0/dialog"],
    [withAttachment({ party: 3 }), "index.party-range /attachments/0/party"],
    [withAttachment({ party: "0" }), "type.uint /attachments/0/party"],
    [withAttachment({ start: {} }), "attachment.start-missing /attachments/0/start"],
    [withAttachment({ url: 5 }), "content.url-https /attachments/0/url"],
    [{ dialog: [talk], analysis: [{ ...seen, dialog: 1 }] }, "index.dialog-range /analysis/0/dialog"],
    [{ analysis: [{ ...seen, dialog: ["x"] }] }, "type.uint /analysis/0/dialog/0"],
    [{ analysis: [{ ...seen, dialog: "all" }] }, "analysis.dialog /analysis/0/dialog"],
    [{ analysis: [{ ...seen, vendor: 7, type: [], dialog: null }] }, "analysis.vendor-missing /analysis/0/vendor"],
    [withDialog({ originator: 4 }), "index.party-range /dialog/0/originator"],
    [withDialog({ mediatype: "wav" }), "type.mediatype /dialog/0/mediatype"],
    [withDialog({ filename: 5 }), "content.filename /dialog/0/filename"],
    [withDialog({ encoding: 5 }), "content.encoding-value /dialog/0/encoding"],
    [withDialog({ content_hash: 5, url: "https://a.example/x" }), "content.hash-shape /dialog/0/content_hash"],
    [
      withDialog({ party_history: [{ party: 9, time: CREATED, event: "join" }] }),
      "index.party-range /dialog/0/party_history/0/party",
    ],
    [{ dialog: [transfer] }, "index.party-range /dialog/0/transferee", "index.dialog-range /dialog/0/original"],
    [{ parties: [{ name: 5 }] }, "party.name /parties/0/name"],
    [{ parties: [{ type: 5 }] }, "type.string /parties/0/type"],
    [{ updated_at: [1] }, "vcon.updated_at-date /updated_at"],
    [{ extensions: "CC" }, "vcon.extensions-type /extensions"],
    [{ amended: "x" }, "type.object /amended"],
  ];
  const named = cases.map(([members, ...expected]) => ({ members, expected }));

  test.each(named)("$members", ({ members, expected }) => {
    const result = readVcon(text(members));
    expect(result.findings.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(expect.arrayContaining(expected));
    expect(result.ok && JSON.parse(serialize(result.vcon))).toMatchObject(
      JSON.parse(text(members).replace(',"dialog":null', "")),
    );
    const strict = errorsOf(text(members), { profile: "strict" }).map(({ code, pointer }) => `${code} ${pointer}`);
    expect(strict).toEqual(expect.arrayContaining(expected));
  });
});

describe("numbers as text become numbers where the Python server reads them so", () => {
  const readDialog = (members: object) => {
    const result = readVcon(text({ parties: [{}, {}], dialog: [{ type: "text", ...members }] }));
    return result.ok ? result.vcon.dialog?.[0] : result.errors;
  };

  test.each([
    [{ duration: "12.5" }, { duration: 12.5 }],
    [{ duration: " 7 " }, { duration: 7 }],
    [{ duration: "1e2" }, { duration: 100 }],
    [{ parties: ["0", "1"] }, { parties: [0, 1] }],
    [{ parties: "1" }, { parties: 1 }],
    [{ parties: [["0"], null, true] }, { parties: [[0], null, 1] }],
  ])("%j", (sent, taken) => {
    expect(readDialog(sent)).toEqual({ type: "text", ...taken });
  });

  test("a length with more digits than a double has is a length", () => {
    const input = text({ dialog: [{ type: "text", duration: 0 }] }).replace(
      '"duration":0',
      '"duration":12.50000000000000000001',
    );
    const result = readVcon(input);
    expect(result.ok && result.vcon.dialog).toEqual([{ type: "text", duration: 12.5 }]);
  });

  test.each(["2026", "20260114", "202601140830", "20260114083000"])("the day or time %j is no Unix time", (date) => {
    expect(readVcon(text({ created_at: date }))).toMatchObject({ ok: false });
    expect(readVcon(text({ updated_at: date }))).toMatchObject({ ok: true, vcon: { updated_at: date } });
  });

  test.each(["1757000000", "1757000000.0", 1_757_000_000])("a Unix time %j is a date", (created_at) => {
    const result = readVcon(text({ created_at }));
    expect(result.ok && result.vcon.created_at).toBe("2025-09-04T15:33:20Z");
  });
});

describe("profiles", () => {
  const old = text({
    vcon: "0.0.1",
    dialog: [{ type: "video", start: "2024-01-01T00:00:00", mimetype: "video/mp4", url: "https://a.example/v" }],
  });

  test("strict refuses every broken MUST of the document as it came", () => {
    expect(
      errorsOf(old, { profile: "strict" })
        .map(({ rule }) => rule)
        .sort((a, b) => a - b),
    ).toEqual([7, 31, 70, 72, 118]);
    expect(readVcon(text({}), { profile: "strict" }).ok).toBe(true);
  });

  test("legacy repairs first and tells what it did", () => {
    const result = readVcon(old, { profile: "legacy" });
    expect(result).toMatchObject({
      ok: true,
      vcon: { vcon: "0.4.0", dialog: [{ type: "recording", start: "2024-01-01T00:00:00Z", mediatype: "video/mp4" }] },
    });
    expect(result.findings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(["migration.date", "migration.dialog-type", "content.hash-missing"]),
    );
  });
});

describe("sealed documents", () => {
  const fixture = (name: string) =>
    readFileSync(join(import.meta.dirname, "testdata/constructed", `${name}.vcon.json`), "utf8");

  test.each([
    ["signed_draft_style", "signed"],
    ["encrypted_draft_style", "encrypted"],
  ])("%s is kept verbatim, though its uuid can be read from it", (name, form) => {
    const result = readVcon(fixture(name), { profile: "legacy" });
    expect(result).toMatchObject({ ok: true, form });
    if (!result.ok) return;
    expect(result.vcon.uuid).toBe(result.uuid);
    expect(serialize(result.vcon)).toBe(JSON.stringify(JSON.parse(fixture(name))));
    expect(parseVcon(serialize(result.vcon)).uuid).toBe(result.uuid);
  });

  test("repeated members inside a signed payload are refused: two programs could read two documents", () => {
    const payload = encodeBase64url(new TextEncoder().encode(`{"uuid":"${UUID}","parties":[],"parties":[{}]}`));
    const input = JSON.stringify({
      payload,
      signatures: [{ header: { alg: "RS256" }, protected: "e30", signature: "x" }],
    });
    expect(errorsOf(input)).toMatchObject([{ code: "form.duplicate-key", pointer: "/payload" }]);
  });
});

test("documents of 0.5.0 keep what they bring", () => {
  const members = {
    vcon: "0.5.0",
    sessions: [{ start: CREATED, dialog: [0] }],
    events: [{ type: "join" }],
    redacted_from: { uuid: UUID },
  };
  const result = readVcon(text(members));
  expect(result).toMatchObject({ ok: true, vcon: members });
});
