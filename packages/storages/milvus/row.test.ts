import { sampleVcon } from "@vcon-server/core/testing";
import { encodeBase64url, toUuid, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, partsOf } from "./cut.ts";
import { rowOf } from "./row.ts";
import { fieldsOf } from "./schema.ts";
import { expectedRow } from "./stage.ts";
import { partyIdOf, readable, textOf } from "./text.ts";

const { uuid } = sampleVcon();
const textIn = (members: Partial<Vcon>): string => textOf(readable({ uuid, ...members }));
const transcript = (body: unknown, more: object = {}) => ({
  type: "transcript",
  dialog: 0,
  encoding: "json",
  body: JSON.stringify(body),
  ...more,
});
const RECORDING = { type: "recording", url: "https://media.example/1.wav" };

test.each<[string, Partial<Vcon>, string]>([
  ["Whisper", { analysis: [transcript({ text: "whispered words" })] }, "whispered words"],
  [
    "Deepgram, as the Python server keeps it",
    { analysis: [transcript({ transcript: "deep words", confidence: 1 })] },
    "deep words",
  ],
  [
    "an answer of Deepgram",
    { analysis: [transcript({ results: { channels: [{ alternatives: [{ transcript: "whole answer" }] }] } })] },
    "whole answer",
  ],
  [
    "WTF before the vendor's own",
    {
      analysis: [
        transcript({ text: "raw" }),
        {
          ...transcript({ transcript: { text: "normalised", language: "en" }, segments: [] }),
          type: "wtf_transcription",
        },
      ],
    },
    "normalised",
  ],
  [
    "plain text",
    { analysis: [{ type: "transcript", dialog: 0, encoding: "none", body: "plain words" }] },
    "plain words",
  ],
  [
    "one transcript for each dialog, in their order",
    {
      dialog: [RECORDING, RECORDING],
      analysis: [transcript({ text: "second" }, { dialog: 1 }), transcript({ text: "first" })],
    },
    "first second",
  ],
  [
    "a transcript of two dialogs",
    { dialog: [RECORDING, RECORDING], analysis: [transcript({ text: "both" }, { dialog: [0, 1] })] },
    "both",
  ],
  ["a transcript in a member of its own", { transcript: [{ text: "old" }, { text: "form" }] }, "old\nform"],
  [
    "a summary as text",
    { analysis: [{ type: "summary", dialog: 0, encoding: "none", body: "It went well." }] },
    "It went well.",
  ],
  ["a summary as JSON", { analysis: [{ type: "summary", encoding: "json", body: { text: "Good." } }] }, "Good."],
  ["other analyses", { analysis: [{ type: "sentiment", encoding: "none", body: "happy" }] }, ""],
  [
    "parties with role and name",
    {
      parties: [
        { role: "agent", name: "Ann" },
        { name: "Bob" },
        { role: "customer" },
        { tel: "+1" },
        { partyId: "p7" },
      ],
    },
    "Party: agent Ann. Party: Bob. Party: customer. Party: p7.",
  ],
  ["the subject", { subject: "Order 7" }, "Subject: Order 7."],
  [
    "metadata of old vCons",
    { metadata: { title: "Call", description: "About it" } },
    "Title: Call. Description: About it.",
  ],
  [
    "messages, base64url too, but no recordings",
    {
      dialog: [
        { type: "text", body: "one" },
        { type: "text", body: encodeBase64url(Buffer.from("zwei ü")), encoding: "base64url" },
        { type: "recording", body: "AAAA", encoding: "base64url" },
      ],
    },
    "one zwei ü",
  ],
  [
    "everything, in one order",
    {
      subject: "S",
      parties: [{ name: "P" }],
      dialog: [{ type: "text", body: "M" }],
      analysis: [{ type: "summary", encoding: "none", body: "Z" }, transcript({ text: "T" })],
    },
    "T Z Party: P. Subject: S. M",
  ],
  ["nothing", {}, ""],
])("the text holds %s", (_, members, text) => {
  expect(textIn(members)).toBe(text);
});

test("a signed vCon is read by its payload, an encrypted one has no text", () => {
  const inner = sampleVcon();
  const payload = encodeBase64url(Buffer.from(JSON.stringify(inner)));
  const signed = { uuid: inner.uuid, payload, signatures: [{ protected: "e30", signature: "AA" }] };
  expect(expectedRow(signed)).toEqual(expectedRow(inner));
  expect(expectedRow({ uuid: inner.uuid, ciphertext: "AA", recipients: [] })).toBeUndefined();
});

test.each<[Partial<Vcon>, string]>([
  [{ parties: [{ uuid: "u", tel: "+1" }] }, "u"],
  [{ parties: [{ tel: "+1", mailto: "a@b.c" }] }, "tel:+1"],
  [{ parties: [{ tel: "tel:+1" }] }, "tel:+1"],
  [{ parties: [{ mailto: "mailto:a@b.c", name: "Ann" }] }, "mailto:a@b.c"],
  [{ parties: [{ name: "Ann", role: "agent" }] }, "agent:Ann"],
  [{ parties: [{ name: "Ann" }] }, "Ann"],
  [{ parties: [{ role: "agent" }] }, "agent"],
  [{ parties: [{ userID: 7 }] }, "7"],
  [{ parties: [{}, { name: "Bob" }] }, "Bob"],
  [{ parties: [{}] }, "party_index:0"],
  [{ parties: [] }, "no_party_info"],
  [{ metadata: { creator: "crm" } }, "crm"],
])("the party of %j is %s", (members, id) => {
  expect(partyIdOf(readable({ uuid, ...members }))).toBe(id);
});

test("the other columns say what the vCon says", () => {
  const vcon = sampleVcon({
    created_at: "2026-01-02T03:04:05.123456789+02:00",
    updated_at: "2026-01-02T03:04:05Z",
    subject: "ü".repeat(200),
    analysis: [transcript({ text: "T" }), { type: "summary", encoding: "none", body: "Z" }],
  });
  expect(expectedRow(vcon)).toMatchObject({
    created_at: "2026-01-02T01:04:05.123Z",
    updated_at: "2026-01-02T03:04:05Z",
    subject: "ü".repeat(127),
    has_transcript: true,
    has_summary: true,
    party_count: 2,
  });
  expect(expectedRow({ ...vcon, created_at: "some time in the beginning of May" })).toMatchObject({ created_at: "" });
});

test("a text that is too long is cut between characters", () => {
  const row = expectedRow(sampleVcon({ parties: [], dialog: [{ type: "text", body: "日本🎉".repeat(20_000) }] }));
  expect(Buffer.byteLength(row?.text ?? "")).toBeGreaterThan(65_530);
  expect(row?.text).toMatch(/^(日本🎉)+(日|日本)?$/u);
});

const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom("a", "ü", "日", "🎉", " ", "\ud83c", "\n"), fc.string()),
  maxLength: 300,
});

test("cutting keeps a beginning that fits, is well formed and lacks less than one character", () => {
  fc.assert(
    fc.property(anyText, fc.nat({ max: 400 }), (text, max) => {
      const found = cut(text, max);
      const whole = text.toWellFormed();
      expect(whole.startsWith(found)).toBe(true);
      expect(found.isWellFormed()).toBe(true);
      expect(Buffer.byteLength(found)).toBeLessThanOrEqual(max);
      const next = [...whole.slice(found.length)][0] ?? "";
      expect(found === whole || Buffer.byteLength(found + next) > max).toBe(true);
    }),
  );
});

test("parts are the whole text, each within its limit", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 4, max: 60 }), (text, max) => {
      const parts = partsOf(text, max);
      expect(parts.join("")).toBe(text.toWellFormed());
      for (const part of parts) {
        expect(Buffer.byteLength(part)).toBeLessThanOrEqual(max);
        expect(part.length).toBeGreaterThan(0);
      }
    }),
  );
});

const limits = new Map(fieldsOf(8).map(({ name, max_length = 0 }) => [name, Number(max_length)]));
const id = toUuid("01a088b7-7e9e-8501-9c23-b79d96f1a1ba")!;

test("whatever a document holds, its row fits into the columns", () => {
  const anything = fc.anything({ withNullPrototype: false });
  const object = fc.dictionary(
    fc.constantFrom("type", "body", "encoding", "dialog", "name", "role", "tel", "uuid", "text"),
    anything,
  );
  const list = fc.oneof(fc.array(fc.oneof(object, anything), { maxLength: 4 }), anything);
  const document = fc.record(
    {
      parties: list,
      dialog: list,
      analysis: list,
      subject: anything,
      created_at: anything,
      metadata: anything,
      transcript: list,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(document, (members) => {
      const vcon: Vcon = JSON.parse(JSON.stringify({ ...members, uuid: id }));
      const row = rowOf({ uuid: id, vcon, model: "m" }, limits);
      for (const [name, value] of Object.entries(row ?? {}))
        if (typeof value === "string") expect(Buffer.byteLength(value)).toBeLessThanOrEqual(limits.get(name) ?? 0);
      expect(row === undefined || row.text.trim() !== "").toBe(true);
    }),
  );
});
