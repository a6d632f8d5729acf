import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeBase64url, findings } from "../index.ts";
import { isObject, type JsonObject } from "../shape.ts";
import { RULES, ruleOf } from "./catalogue.ts";

/** Members to set by JSON pointer, in documents that break no rule. `GONE` takes a member away. */
type Patch = Readonly<Record<string, unknown>>;
const GONE = Symbol("gone");

const read = (name: string): JsonObject =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../testdata/constructed", `${name}.vcon.json`), "utf8"));
const DOCUMENTS = {
  chat: read("ok_text_chat"),
  call: read("ok_recording_set_transfer"),
  redacted: read("ok_redacted"),
  external: read("ok_external_audio"),
  signed: read("signed_draft_style"),
  encrypted: read("encrypted_draft_style"),
};
const UUID = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";
const encoded = (value: unknown) => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)));

/** Which document, what is changed in it, and the findings that makes: code and pointer, `!` where it is fatal. */
const CASES: readonly (readonly [keyof typeof DOCUMENTS, Patch, ...string[]])[] = [
  ["chat", { "/parties": GONE, "/dialog": GONE, "/analysis": GONE, "/attachments": GONE }, "form.empty "],
  [
    "chat",
    { "/parties": GONE, "/dialog": GONE, "/analysis": GONE, "/attachments": GONE, "/uuid": GONE },
    "form.unrecognised !",
  ],
  ["chat", { "/vcon": "0.3.0" }, "vcon.version-value /vcon"],
  ["chat", { "/vcon": "0.4.0" }],
  ["chat", { "/vcon": "9.9" }, "vcon.version-value /vcon"],
  ["chat", { "/vcon": 4 }, "vcon.version-value /vcon!"],
  ["chat", { "/uuid": GONE }, "vcon.uuid-missing /uuid!"],
  ["chat", { "/uuid": null }, "vcon.uuid-missing /uuid!"],
  ["chat", { "/uuid": "SAMPLE-1" }, "vcon.uuid-syntax /uuid!"],
  ["chat", { "/uuid": `{${UUID}}` }, "vcon.uuid-syntax /uuid"],
  ["chat", { "/uuid": UUID.toUpperCase() }],
  ["chat", { "/uuid": "42f69ca7-2a14-4e5e-8814-bc1695f9fe24" }, "vcon.uuid-v8 /uuid"],
  ["chat", { "/extensions": "CC" }, "vcon.extensions-type /extensions"],
  ["chat", { "/extensions": ["CC"], "/critical": ["CC"] }, "vcon.critical-unsupported /critical"],
  ["chat", { "/critical": ["CC"] }, "vcon.critical-unsupported /critical", "vcon.critical-subset /critical"],
  ["chat", { "/critical": [1] }, "vcon.critical-type /critical"],
  ["chat", { "/a~1b": 1, "/sessions": [], "/group": [] }, "vcon.unknown-member /a~1b"],
  ["chat", { "/created_at": GONE }, "vcon.created_at-missing /created_at"],
  ["chat", { "/created_at": null }, "vcon.created_at-missing /created_at"],
  ["chat", { "/created_at": 1_700_000_000 }, "vcon.created_at-date /created_at"],
  ["chat", { "/created_at": "1700000000.5" }, "vcon.created_at-date /created_at", "type.date-syntax /created_at"],
  ["chat", { "/created_at": {} }, "vcon.created_at-date /created_at!"],
  ["chat", { "/created_at": "NOT-A-DATE" }, "vcon.created_at-date /created_at!", "type.date-syntax /created_at"],
  ["chat", { "/created_at": "" }, "vcon.created_at-date /created_at", "type.date-syntax /created_at"],
  ["chat", { "/created_at": "2026-09-14" }, "vcon.created_at-date /created_at", "type.date-syntax /created_at"],
  [
    "chat",
    { "/created_at": "2026-02-30T00:00:00Z" },
    "vcon.created_at-date /created_at!",
    "type.date-real /created_at",
  ],
  ["chat", { "/created_at": "2026-09-14T08:30:00.000Z" }, "type.date-zero-fraction /created_at"],
  ["chat", { "/updated_at": {} }, "vcon.updated_at-date /updated_at"],
  ["chat", { "/updated_at": "2020-01-01T00:00:00Z" }, "vcon.updated_at-stale /updated_at"],
  ["chat", { "/subject": null }],
  ["chat", { "/subject": 5 }, "vcon.subject-type /subject!"],
  ["redacted", { "/amended": { uuid: UUID } }, "vcon.redacted-xor-amended /amended"],
  ["chat", { "/group": [{}] }, "vcon.group-reserved /group"],
  [
    "chat",
    { "/appended": [], "/analysis": "text" },
    "vcon.array-type /analysis!",
    "type.object /appended!",
    "vcon.unknown-member /appended",
  ],
  ["chat", { "/analysis": null }],
  ["chat", { "/dialog/1": null }, "vcon.array-type /dialog/1!"],
  ["chat", { "/parties/2": [] }, "party.object /parties/2!"],
  // redacted and amended
  ["redacted", { "/redacted": "PII" }, "type.object /redacted!"],
  ["redacted", { "/redacted/type": GONE }, "redacted.type-missing /redacted/type"],
  ["redacted", { "/redacted/uuid": GONE }, "redacted.uuid-missing /redacted/uuid"],
  ["redacted", { "/redacted/uuid": GONE, "/redacted/url": GONE }, "redacted.reference /redacted"],
  ["redacted", { "/redacted/uuid": "no" }, "type.uuid-other /redacted/uuid"],
  ["redacted", { "/redacted/content_hash": GONE }, "ref.url-needs-hash /redacted/content_hash"],
  ["redacted", { "/redacted/url": "http://a.example" }, "ref.url-https /redacted/url"],
  ["redacted", { "/redacted/body": {} }, "ref.no-inline /redacted"],
  ["redacted", { "/redacted/uuid": DOCUMENTS.redacted.uuid }, "ref.self /redacted/uuid"],
  ["chat", { "/amended": { why: "x" } }, "amended.no-reference /amended"],
  ["chat", { "/amended": {}, "/redacted": {} }],
  // parties
  ["chat", { "/parties/0/tel": "1234" }, "party.tel /parties/0/tel"],
  ["chat", { "/parties/0/tel": "+1-555-0100x22" }, "party.tel /parties/0/tel"],
  ["chat", { "/parties/0/tel": "" }, "party.tel /parties/0/tel"],
  ["chat", { "/parties/0/tel": "somebody" }, "party.tel /parties/0/tel!"],
  ["chat", { "/parties/0/tel": 911 }, "party.tel /parties/0/tel!"],
  ["chat", { "/parties/0/tel": "tel:+1-202-555-0143;ext=12" }],
  ["chat", { "/parties/0/tel": "7042;phone-context=example.com" }],
  ["chat", { "/parties/0/tel": null }],
  ["chat", { "/parties/0/sip": "alice at home" }, "party.sip /parties/0/sip"],
  ["chat", { "/parties/0/sip": "sip:alice@a.example" }],
  ["chat", { "/parties/0/stir": "abc" }, "party.stir /parties/0/stir"],
  ["chat", { "/parties/1/mailto": "help" }, "party.mailto /parties/1/mailto"],
  ["chat", { "/parties/1/mailto": "Ravi <mailto:help@parcels.example>" }],
  ["chat", { "/parties/1/name": 5 }, "party.name /parties/1/name"],
  ["chat", { "/parties/1/validation": GONE }, "party.validation-missing /parties/1/validation"],
  ["chat", { "/parties/1/validation": 5 }, "type.string /parties/1/validation"],
  ["chat", { "/parties/1/did": "did:" }, "party.did /parties/1/did"],
  ["chat", { "/parties/1/gmlpos": "here" }, "party.gmlpos /parties/1/gmlpos"],
  ["chat", { "/parties/1/gmlpos": "52.5 -13.4" }],
  ["chat", { "/parties/1/civicaddress": { a1: 5 } }, "party.civic-object /parties/1/civicaddress"],
  ["chat", { "/parties/1/civicaddress": { A1: "x" } }, "party.civic-case /parties/1/civicaddress"],
  ["chat", { "/parties/1/uuid": 5 }, "party.uuid /parties/1/uuid"],
  ["chat", { "/parties/1/uuid": "whatever" }],
  ["chat", { "/parties/1/type": "cat" }, "party.type /parties/1/type"],
  ["chat", { "/parties/1/dept": 5 }, "party.org-dept /parties/1/dept"],
  ["chat", { "/parties/1/role": "agent" }, "party.noncore /parties/1"],
  // dialogs
  ["chat", { "/dialog/0/type": GONE }, "dialog.type-missing /dialog/0/type"],
  ["chat", { "/dialog/0/type": 5 }, "dialog.type-missing /dialog/0/type"],
  ["chat", { "/dialog/0/type": "video" }, "dialog.type-value /dialog/0/type"],
  ["chat", { "/dialog/0/start": GONE }, "dialog.start-missing /dialog/0/start"],
  [
    "chat",
    { "/dialog/0/start": "2026-09-14T08:30:05" },
    "dialog.start-date /dialog/0/start",
    "type.date-syntax /dialog/0/start",
  ],
  ["chat", { "/dialog/0/start": 5 }, "dialog.start-date /dialog/0/start!"],
  ["chat", { "/dialog/0/duration": -30 }, "dialog.duration /dialog/0/duration!"],
  ["chat", { "/dialog/0/duration": "long" }, "dialog.duration /dialog/0/duration!"],
  ["chat", { "/dialog/0/duration": "4.5" }, "dialog.duration /dialog/0/duration"],
  ["chat", { "/dialog/0/duration": " +.5 " }, "dialog.duration /dialog/0/duration"],
  ["chat", { "/dialog/0/duration": true }, "dialog.duration /dialog/0/duration"],
  ["chat", { "/dialog/0/duration": "-4.5" }, "dialog.duration /dialog/0/duration!"],
  ["chat", { "/dialog/0/duration": "1e999" }, "dialog.duration /dialog/0/duration!"],
  ["chat", { "/dialog/0/duration": null }],
  ["chat", { "/dialog/0/parties": GONE }, "dialog.parties-missing /dialog/0/parties"],
  ["chat", { "/dialog/0/parties": 1 }],
  ["chat", { "/dialog/0/parties": [[0, 1], null, 1] }],
  ["chat", { "/dialog/0/parties": [[0, [1]]] }, "dialog.parties-shape /dialog/0/parties/0/1!"],
  ["chat", { "/dialog/0/parties": ["0"] }, "dialog.parties-shape /dialog/0/parties/0"],
  ["chat", { "/dialog/0/parties": "1" }, "dialog.parties-shape /dialog/0/parties"],
  [
    "chat",
    { "/dialog/0/parties": ["9"] },
    "dialog.parties-shape /dialog/0/parties/0",
    "index.party-range /dialog/0/parties/0!",
  ],
  ["chat", { "/dialog/0/parties": ["Ann"] }, "dialog.parties-shape /dialog/0/parties/0!"],
  ["chat", { "/dialog/0/parties": [0, -1] }, "dialog.parties-shape /dialog/0/parties/1!"],
  ["chat", { "/dialog/0/parties": [0, 99] }, "index.party-range /dialog/0/parties/1!"],
  ["chat", { "/dialog/0/originator": 0 }, "dialog.originator-redundant /dialog/0/originator"],
  ["chat", { "/dialog/0/originator": 1 }],
  ["chat", { "/dialog/0/originator": 2 }, "index.party-range /dialog/0/originator"],
  ["chat", { "/dialog/0/originator": "1" }, "type.uint /dialog/0/originator"],
  ["call", { "/dialog/5/parties": [0] }, "dialog.parties-transfer /dialog/5/parties"],
  ["call", { "/dialog/5/originator": 1 }, "dialog.originator /dialog/5/originator"],
  ["call", { "/dialog/0/recordings": GONE }, "dialog.recordings-missing /dialog/0/recordings"],
  ["call", { "/dialog/3/recordings": [1] }, "dialog.recordings-elsewhere /dialog/3/recordings"],
  ["call", { "/dialog/0/recordings": 1 }, "type.uint /dialog/0/recordings"],
  ["call", { "/dialog/1/recording_set": GONE }, "dialog.recording_set-missing /dialog/0/recordings/0"],
  [
    "call",
    { "/dialog/3/recording_set": 0 },
    "dialog.recording_set-elsewhere /dialog/3/recording_set",
    "index.recording-set-mutual /dialog/3/recording_set",
  ],
  ["call", { "/dialog/1/recording_set": 2 }, "index.recordings-type /dialog/1/recording_set"],
  ["call", { "/dialog/1/recording_set": 9 }, "index.dialog-range /dialog/1/recording_set"],
  ["call", { "/dialog/0/recordings": [1, 2, 3] }, "index.recordings-type /dialog/0/recordings/2"],
  ["call", { "/dialog/0/recordings": [1] }, "index.recording-set-mutual /dialog/2/recording_set"],
  ["chat", { "/dialog/0/mediatype": GONE }, "dialog.mediatype-missing /dialog/0/mediatype"],
  ["chat", { "/dialog/0/mimetype": "text/plain" }],
  ["chat", { "/dialog/0/mimetype": 12345 }, "dialog.mimetype /dialog/0/mimetype!"],
  [
    "chat",
    { "/dialog/0/mediatype": "text" },
    "type.mediatype /dialog/0/mediatype",
    "dialog.mediatype-list /dialog/0/mediatype",
  ],
  ["chat", { "/dialog/0/mediatype": "text/plain; charset=utf-8" }],
  ["chat", { "/dialog/0/mediatype": "message/rfc822" }, "dialog.mediatype-list /dialog/0/mediatype"],
  ["call", { "/dialog/0/mediatype": "audio/ogg" }, "dialog.mediatype-elsewhere /dialog/0/mediatype"],
  ["chat", { "/dialog/0/body": GONE, "/dialog/0/encoding": GONE }, "dialog.content-missing /dialog/0"],
  [
    "call",
    { "/dialog/3/body": "x", "/dialog/3/encoding": "none" },
    "dialog.content-forbidden /dialog/3/body",
    "dialog.content-forbidden /dialog/3/encoding",
    "dialog.mediatype-missing /dialog/3/mediatype",
  ],
  ["call", { "/dialog/3/disposition": GONE }, "dialog.disposition-missing /dialog/3/disposition"],
  ["call", { "/dialog/3/disposition": "VM Left" }, "dialog.disposition-value /dialog/3/disposition"],
  ["call", { "/dialog/1/disposition": "failed" }, "dialog.disposition-elsewhere /dialog/1/disposition"],
  [
    "chat",
    { "/dialog/0/session_id": "ab30317f1a784dc48ff824d0d3715d86" },
    "dialog.session_id-shape /dialog/0/session_id",
  ],
  ["chat", { "/dialog/0/session_id": { local: UUID, remote: UUID } }],
  ["chat", { "/dialog/0/session_id": { local: UUID } }, "dialog.session_id-nil /dialog/0/session_id/remote"],
  ["chat", { "/dialog/0/session_id": { local: UUID, remote: "x" } }, "type.uuid-other /dialog/0/session_id/remote"],
  ["chat", { "/dialog/0/session_id": [{}, { local: UUID, remote: UUID }] }],
  ["chat", { "/dialog/0/session_id": [{}] }, "dialog.session_id-align /dialog/0/session_id"],
  [
    "chat",
    { "/dialog/0/parties": [[0, 1]], "/dialog/0/session_id": [[{}, "x"]] },
    "dialog.session_id-shape /dialog/0/session_id/0/1",
  ],
  [
    "call",
    { "/dialog/5/session_id": { local: UUID, remote: UUID } },
    "dialog.session_id-transfer /dialog/5/session_id",
  ],
  ["call", { "/dialog/0/party_history": "x" }, "dialog.party_history-shape /dialog/0/party_history"],
  ["call", { "/dialog/0/party_history/0": 5 }, "dialog.party_history-shape /dialog/0/party_history/0"],
  ["call", { "/dialog/5/party_history": [{}] }, "dialog.party_history-shape /dialog/5/party_history"],
  [
    "call",
    { "/dialog/0/party_history/0/event": "dtmfdown" },
    "dialog.party_history-event /dialog/0/party_history/0/event",
  ],
  [
    "call",
    { "/dialog/0/party_history/1/button": GONE },
    "dialog.party_history-button /dialog/0/party_history/1/button",
  ],
  ["call", { "/dialog/0/party_history/0/party": GONE }, "dialog.party_history-fields /dialog/0/party_history/0/party"],
  ["call", { "/dialog/0/party_history/0/party": 7 }, "index.party-range /dialog/0/party_history/0/party"],
  ["call", { "/dialog/5/transferor": GONE }, "dialog.transfer-missing /dialog/5"],
  ["call", { "/dialog/1/transferee": 0 }, "dialog.transfer-elsewhere /dialog/1/transferee"],
  ["call", { "/dialog/5/target_dialog": [4] }, "dialog.transfer-shape /dialog/5/target_dialog"],
  ["call", { "/dialog/5/transferee": "x" }, "dialog.transfer-shape /dialog/5/transferee"],
  ["call", { "/dialog/5/transfer_target": 3 }, "index.party-range /dialog/5/transfer_target"],
  ["call", { "/dialog/5/original": 3 }, "dialog.transfer-target-type /dialog/5/original"],
  ["call", { "/dialog/3/message_id": "m" }, "dialog.message_id /dialog/3/message_id"],
  ["chat", { "/dialog/0/message_id": 5 }, "dialog.message_id /dialog/0/message_id"],
  ["chat", { "/dialog/1/message_id": "m-1@parcels.example" }, "dialog.message_id-duplicate /dialog/1/message_id"],
  ["chat", { "/dialog/0/application": 5 }, "dialog.application /dialog/0/application"],
  // content
  ["chat", { "/dialog/0/encoding": GONE }, "content.encoding-missing /dialog/0/encoding"],
  ["chat", { "/dialog/0/encoding": "text" }, "content.encoding-value /dialog/0/encoding"],
  ["chat", { "/analysis/0/body": { a: 1 } }, "content.none-string /analysis/0/body"],
  ["chat", { "/dialog/0/encoding": "base64url" }, "content.b64-string /dialog/0/body"],
  ["chat", { "/analysis/0/encoding": "json" }, "content.json-string-parse /analysis/0/body"],
  ["external", { "/dialog/0/body": "x", "/dialog/0/encoding": "none" }, "content.both /dialog/0"],
  ["external", { "/dialog/0/encoding": "base64url" }, "content.encoding-orphan /dialog/0/encoding"],
  ["chat", { "/dialog/0/content_hash": `sha512-${"A".repeat(86)}` }, "content.encoding-orphan /dialog/0/content_hash"],
  ["external", { "/dialog/0/url": "s3://bucket/key" }, "content.url-https /dialog/0/url"],
  ["external", { "/dialog/0/url": "data:text/plain,x" }, "content.url-https /dialog/0/url!"],
  ["external", { "/dialog/0/url": 5 }, "content.url-https /dialog/0/url!"],
  ["external", { "/dialog/0/content_hash": GONE }, "content.hash-missing /dialog/0/content_hash"],
  ["external", { "/dialog/0/content_hash": ["sha512:abc"] }, "content.hash-shape /dialog/0/content_hash/0"],
  ["external", { "/dialog/0/content_hash": 5 }, "content.hash-shape /dialog/0/content_hash"],
  ["external", { "/dialog/0/content_hash": "sha512-abc" }, "content.hash-length /dialog/0/content_hash"],
  ["chat", { "/dialog/0/filename": 5 }, "content.filename /dialog/0/filename"],
  // attachments
  ["chat", { "/attachments/0/start": GONE }, "attachment.start-missing /attachments/0/start"],
  ["chat", { "/attachments/0/party": GONE }, "attachment.party-missing /attachments/0/party"],
  ["chat", { "/attachments/0/party": 2 }, "index.party-range /attachments/0/party"],
  ["chat", { "/attachments/0/dialog": GONE }, "attachment.dialog-missing /attachments/0/dialog"],
  ["chat", { "/attachments/0/dialog": [0] }, "type.uint /attachments/0/dialog"],
  ["chat", { "/attachments/0/purpose": 5 }, "attachment.purpose /attachments/0/purpose"],
  ["chat", { "/attachments/0/mediatype": GONE }, "attachment.mediatype-missing /attachments/0/mediatype"],
  ["chat", { "/attachments/0/mediatype": "json" }, "type.mediatype /attachments/0/mediatype"],
  [
    "chat",
    { "/attachments/0/body": GONE, "/attachments/0/encoding": GONE },
    "attachment.content-missing /attachments/0",
  ],
  ["chat", { "/attachments/0/body": "a:1", "/attachments/0/encoding": "none" }, "attachment.tags /attachments/0/body"],
  // analyses
  ["chat", { "/analysis/0/type": GONE }, "analysis.type-missing /analysis/0/type"],
  ["chat", { "/analysis/0/type": "wtf" }, "analysis.type-value /analysis/0/type"],
  ["chat", { "/analysis/0/dialog": "0" }, "analysis.dialog /analysis/0/dialog"],
  ["chat", { "/analysis/0/dialog": [0, 2] }, "index.dialog-range /analysis/0/dialog/1"],
  ["chat", { "/analysis/0/dialog": GONE }],
  ["chat", { "/analysis/0/attachment": {} }],
  ["chat", { "/analysis/0/attachment": true }, "analysis.attachment /analysis/0/attachment"],
  ["chat", { "/analysis/0/attachment": 1 }, "index.attachment-range /analysis/0/attachment"],
  ["chat", { "/analysis/0/vendor": GONE }, "analysis.vendor-missing /analysis/0/vendor"],
  ["chat", { "/analysis/0/schema": {} }, "analysis.product-schema /analysis/0/schema"],
  ["chat", { "/analysis/0/mediatype": GONE }, "analysis.mediatype-missing /analysis/0/mediatype"],
  ["chat", { "/analysis/0/body": GONE, "/analysis/0/encoding": GONE }, "analysis.content-missing /analysis/0"],
  // signed
  ["signed", { "/parties": [] }, "form.ambiguous "],
  ["signed", { "/payload": 5 }, "signed.payload /payload!"],
  ["signed", { "/payload": "a+b=" }, "signed.payload /payload"],
  ["signed", { "/payload": encoded([1]) }, "signed.payload /payload!"],
  ["signed", { "/payload": "H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA" }],
  [
    "signed",
    { "/payload": encodeBase64url(new TextEncoder().encode(`{"uuid":"${DOCUMENTS.chat.uuid}","uuid":"x"}`)) },
    "form.duplicate-key /payload!",
    "signed.uuid-mismatch /signatures/0/header/uuid",
  ],
  ["signed", { "/signatures": [] }, "signed.signatures /signatures"],
  ["signed", { "/signatures/0/signature": GONE }, "signed.signatures /signatures/0"],
  ["signed", { "/signatures/0/header/alg": GONE }, "signed.header-alg /signatures/0/header/alg"],
  ["signed", { "/signatures/0/header/x5c": GONE }, "signed.header-x5 /signatures/0/header"],
  ["signed", { "/signatures/0/header/x5u": ["https://a.example"] }, "signed.x5u-https /signatures/0/header/x5u"],
  ["signed", { "/signatures/0/protected": encoded({ alg: "ES256", typ: "JWT" }) }, "signed.alg-rs256 /signatures/0"],
  ["signed", { "/signatures/0/protected": encoded({ cty: "x" }) }, "signed.protected-alg /signatures/0/protected"],
  ["signed", { "/signatures/0/header/uuid": GONE }, "signed.uuid-missing /signatures/0/header/uuid"],
  [
    "signed",
    { "/signatures/0/header/uuid": "01a088bb-37da-8bf5-9c23-b79d96f1a1ba" },
    "signed.uuid-mismatch /signatures/0/header/uuid",
  ],
  // encrypted
  ["encrypted", { "/iv": GONE, "/tag": GONE }, "encrypted.members "],
  ["encrypted", { "/unprotected/cty": "application/vcon+json" }, "encrypted.cty /unprotected/cty"],
  ["encrypted", { "/unprotected/enc": "A256GCM" }, "encrypted.enc /unprotected/enc"],
  ["encrypted", { "/unprotected/uuid": GONE }, "encrypted.uuid /unprotected/uuid"],
  ["encrypted", { "/recipients/0/encrypted_key": GONE }, "encrypted.recipient /recipients/0"],
  ["encrypted", { "/recipients/0/header": { alg: "dir" } }, "encrypted.alg /recipients/0/header/alg"],
];

/** Codes that come from reading the text, or that every document of the set shows without a change. */
const ELSEWHERE = [
  "form.json",
  "form.utf8",
  "form.nul",
  "form.surrogate",
  "form.depth",
  "form.number",
  "signed.header-disjoint",
  "encrypted.header-disjoint",
];

describe("each change to a clean document makes the findings of its rules, and no others", () => {
  test.each(
    CASES.map(([name, patch, ...expected]) => ({
      name,
      patch,
      expected,
      title: `${name} ${JSON.stringify(patch, (_, v) => (v === GONE ? "(gone)" : v)).slice(0, 120)}`,
    })),
  )("$title", ({ name, patch, expected }) => {
    const before = keys(DOCUMENTS[name]);
    const after = keys(patched(DOCUMENTS[name], patch));
    expect(after.filter((key) => !before.includes(key)).sort()).toEqual([...expected].sort());
  });

  test("there is a case for every code of the catalogue", () => {
    const tried = new Set(CASES.flatMap(([, , ...expected]) => expected.map((key) => key.split(" ")[0])));
    expect(Object.keys(RULES).filter((code) => !tried.has(code) && !ELSEWHERE.includes(code))).toEqual([]);
  });
});

test("the documents start clean, apart from what their README says", () => {
  expect(keys(DOCUMENTS.chat)).toEqual([]);
  expect(keys(DOCUMENTS.redacted)).toEqual([]);
  expect(keys(DOCUMENTS.external)).toEqual([]);
  expect(keys(DOCUMENTS.signed)).toEqual(["signed.header-disjoint /signatures/0"]);
  expect(keys(DOCUMENTS.encrypted)).toEqual(["encrypted.header-disjoint "]);
});

test("findings carry number and level of their rule", () => {
  const [finding] = findings(patched(DOCUMENTS.chat, { "/dialog/0/type": "video" }));
  expect(finding).toEqual({
    code: "dialog.type-value",
    rule: 70,
    level: "MUST",
    pointer: "/dialog/0/type",
    message: expect.stringContaining("recording"),
    fixable: true,
    fatal: false,
  });
  expect(ruleOf("vcon.uuid-v8")).toEqual({ rule: 11, level: "SHOULD", fixable: false });
});

function keys(document: JsonObject): string[] {
  return findings(document, { bodies: true }).map(
    ({ code, pointer, fatal }) => `${code} ${pointer}${fatal ? "!" : ""}`,
  );
}

function patched(document: JsonObject, patch: Patch): JsonObject {
  const copy: unknown = structuredClone(document);
  for (const [pointer, value] of Object.entries(patch)) {
    const steps = pointer
      .split("/")
      .slice(1)
      .map((step) => step.replaceAll("~1", "/"));
    const last = steps.pop() ?? "";
    const at = steps.reduce(
      (node: unknown, step) => (typeof node === "object" && node !== null ? Reflect.get(node, step) : undefined),
      copy,
    );
    if (typeof at !== "object" || at === null) throw new Error(`nothing at ${pointer}`);
    if (value === GONE) Reflect.deleteProperty(at, last);
    else Reflect.set(at, last, value);
  }
  if (!isObject(copy)) throw new Error("a document is an object");
  return copy;
}
