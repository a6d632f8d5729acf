import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  downgrade,
  findings,
  indexOf,
  type Json,
  parseJson,
  parseVcon,
  readVcon,
  serialize,
  tagsOf,
  upgrade,
  withTags,
} from "./index.ts";
import { isObject } from "./shape.ts";

/** Any JSON in any place of a document, with names that mean something to the format or to JavaScript. */
const NAMES = [
  ..."uuid vcon created_at updated_at subject extensions critical redacted amended appended group must_support".split(
    " ",
  ),
  ..."parties dialog analysis attachments type start duration originator mediatype mimetype body encoding url".split(
    " ",
  ),
  ..."content_hash session_id party_history recordings recording_set original transfer_target vendor transcript".split(
    " ",
  ),
  ..."purpose party payload signatures protected header ciphertext recipients unprotected tel mailto name".split(" "),
  ..."__proto__ constructor prototype toString hasOwnProperty".split(" "),
];
const UUID = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";
const TEXTS = [
  "",
  "text",
  "none",
  "json",
  "base64url",
  "tags",
  "0.0.1",
  "01a088b7-7e9e-8501-9c23-b79d96f1a1ba",
  "2026-09-14T08:30:00Z",
  "https://a.example",
  "recording",
];
const NUMBERS = ["0", "-1", "1.5", "99", "1e400", "12345678901234567890", "1e-400"];

interface Tree {
  readonly json: string;
}

const { json } = fc.letrec<Tree>((tie) => ({
  json: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom(...TEXTS, "\ud83d\ude00", '"\\').map((text) => JSON.stringify(text)),
    fc.constantFrom(...NUMBERS, "true", "null"),
    fc.array(tie("json"), { maxLength: 3 }).map((elements) => `[${elements.join(",")}]`),
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES), tie("json")), { maxLength: 6 })
      .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`),
  ),
}));

const PROFILES = ["tolerant", "strict", "legacy"] as const;

/** Reads a text and checks what must hold of the answer; says whether it was accepted. */
function answers(text: string, profile: (typeof PROFILES)[number]): boolean {
  const result = readVcon(text, { profile });
  if (!result.ok) {
    expect(result.errors.length).toBeGreaterThan(0);
    for (const { pointer, message, loc } of result.errors) {
      expect(message).not.toBe("");
      expect(loc.length).toBe(pointer.split("/").length - 1);
    }
    return false;
  }
  const written = serialize(result.vcon);
  const again = readVcon(written, { profile });
  expect(again.ok && serialize(again.vcon)).toBe(written);
  for (const version of ["0.0.1", "0.3.0", "0.4.0"] as const) serialize(downgrade(result.vcon, version));
  indexOf(result.vcon);
  tagsOf(withTags(result.vcon, [{ name: "a", value: "b" }]));
  return true;
}

const members = (names: readonly string[], count: number) =>
  fc
    .array(fc.tuple(fc.constantFrom(...names), json), { maxLength: count })
    .map((list) => `{${list.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`);

describe("no input brings a function down", () => {
  test("whatever JSON it is, it is refused with places or comes out as a document that reads the same again", () => {
    fc.assert(
      fc.property(json, fc.constantFrom(...PROFILES), (text, profile) => {
        answers(text, profile);
      }),
      { numRuns: 3000 },
    );
  });

  test("documents with odd members in their places, of which many are accepted", () => {
    const list = fc.array(members(NAMES, 3), { maxLength: 2 }).map((elements) => `[${elements.join(",")}]`);
    let accepted = 0;
    fc.assert(
      fc.property(list, list, list, list, (parties, dialog, analysis, attachments) => {
        const text = `{"uuid":"${UUID}","parties":${parties},"dialog":${dialog},"analysis":${analysis},"attachments":${attachments}}`;
        for (const profile of PROFILES) if (answers(text, profile)) accepted++;
        const parsed = parseJson(text);
        if (!parsed.ok || !isObject(parsed.value)) throw new Error("the generator makes JSON");
        findings(parsed.value, { bodies: true });
        const once = upgrade(parsed.value);
        expect(upgrade(once)).toBe(once);
        const vcon = parseVcon(text);
        indexOf(vcon);
        tagsOf(vcon);
        expect(Reflect.get({}, "polluted")).toBeUndefined();
      }),
      { numRuns: 1500 },
    );
    expect(accepted).toBeGreaterThan(300);
  });

  test("any bytes at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const result = readVcon(bytes);
        expect(result.ok || result.errors.length > 0).toBe(true);
      }),
    );
  });
});

describe("unknown members survive every trip", () => {
  const unknown = fc.jsonValue().map((value): Json => JSON.parse(JSON.stringify(value)));

  test("in, out in an older shape, and in again", () => {
    fc.assert(
      fc.property(unknown, fc.constantFrom("0.0.1", "0.3.0", "0.4.0"), (value, version) => {
        const text = JSON.stringify({
          uuid: "01a088b7-7e9e-8501-9c23-b79d96f1a1ba",
          parties: [{ x: value }],
          dialog: [{ type: "text", "x-y": value }],
          x_extra: value,
        });
        fc.pre(parseJson(text).ok);
        const first = readVcon(text);
        if (!first.ok) throw new Error(JSON.stringify(first.errors));
        const back = readVcon(serialize(downgrade(first.vcon, version)));
        expect(back).toMatchObject({ ok: true });
        const plain: unknown = back.ok && JSON.parse(serialize(back.vcon));
        expect(plain).toMatchObject({ parties: [{ x: value }], dialog: [{ "x-y": value }], x_extra: value });
      }),
    );
  });

  test("numbers keep their text, and names of JavaScript their place", () => {
    const text =
      '{"uuid":"01a088b7-7e9e-8501-9c23-b79d96f1a1ba","parties":[{"__proto__":{"n":1e400},"constructor":12345678901234567890}]}';
    const result = readVcon(text);
    expect(result.ok && serialize(result.vcon)).toBe(text);
    expect(result.ok && serialize(downgrade(result.vcon, "0.4.0"))).toBe(text.replace(/\}$/, ',"vcon":"0.4.0"}'));
  });
});

test("large and deep input is answered, not suffered", () => {
  const uuid = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";
  const many = `{"uuid":"${uuid}","attachments":[${"{},".repeat(100_000)}{}]}`;
  expect(readVcon(many)).toMatchObject({ ok: true });
  expect(readVcon(many).findings.length).toBeLessThanOrEqual(1000);
  expect(readVcon(`{"uuid":"${uuid}","parties":${"[".repeat(1_000_000)}`)).toMatchObject({
    ok: false,
    errors: [{ code: "form.depth" }],
  });
  expect(readVcon(`{"uuid":"${uuid}","parties":[{"name":"${" ".repeat(2_000_000)}"}]}`).ok).toBe(true);
  const spaces = `{"uuid"${" ".repeat(1_000_000)}:"${uuid}","parties":[]}`;
  expect(readVcon(spaces).ok).toBe(true);
  expect(readVcon(`{"uuid":"${uuid}","parties":[],"x":"${":".repeat(1_000_000)}"}`).ok).toBe(true);
});
