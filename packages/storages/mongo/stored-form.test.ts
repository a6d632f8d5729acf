import { openStorage, sampleVcon, stored } from "@vcon-server/core/testing";
import { startMongo } from "@vcon-server/core/testing/servers/mongo";
import { type Json, parseVcon, serialize, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import * as mongodb from "mongodb";
import { expect, test } from "vitest";
import mongo from "./index.ts";
import { EXACT, type Members, membersOf } from "./to-bson.ts";
import { jsonOf } from "./to-json.ts";

const { BSON, Decimal128, Long, ObjectId } = mongodb;

/** Names that mean something to JavaScript, to BSON, to the server or to this storage. */
const NAMES = [
  ...[
    "$ref",
    "$id",
    "$db",
    "$set",
    "$",
    "_id",
    "_bsontype",
    "_vcon_exact",
    "__proto__",
    "constructor",
    "toJSON",
    "toBSON",
  ],
  ...[
    "created_at",
    "start",
    "dialog",
    "uuid",
    "a.b",
    ".",
    "",
    "0",
    "1",
    "length",
    "/",
    "~1",
    "a\0b",
    "\ud800",
    "\u2028",
  ],
];
const DATES = [
  "2026-01-02T03:04:05Z",
  "2026-01-02T03:04:05.678901+05:30",
  "2026-01-02",
  "2016-12-31T23:59:60Z",
  "soon",
];
const NUMBERS = [
  "12345678901234567890",
  "9999999999999999999",
  "9007199254740993",
  "-0",
  "0.1234567890123456789012",
  "1e999",
  "1e-400",
  "5",
  "1.5",
];

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(...NAMES, ...DATES, "\u0000", "\udfff").map(String),
);
const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 5 }));
const date = fc.oneof(
  fc.constantFrom(...DATES),
  fc.date({ noInvalidDate: true }).map((day) => day.toISOString()),
);

/** JSON texts, so that numbers may have digits that no double holds. */
const { value } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("null", "true", "false", ...NUMBERS),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    text.map((string) => JSON.stringify(string)),
    fc.array(tie("value"), { maxLength: 4 }).map((elements) => `[${elements.join()}]`),
    tie("object"),
  ),
  object: fc
    .uniqueArray(fc.tuple(name, tie("value")), { selector: ([member]) => member, maxLength: 5 })
    .map((members) => `{${members.map(([member, json]) => `${JSON.stringify(member)}:${json}`).join()}}`),
}));

const dialog = fc
  .tuple(date, value)
  .map(([start, more]) => `{"start":${JSON.stringify(start)},"type":"text","body":${more}}`);

/** vCons with everything in them that a store may lose. */
const hostileVcons = (): fc.Arbitrary<Vcon> =>
  fc
    .record({
      created: fc.oneof(
        date.map((day) => JSON.stringify(day)),
        value,
      ),
      dialogs: fc.oneof(
        fc.array(fc.oneof(dialog, value), { maxLength: 3 }).map((all) => `[${all.join()}]`),
        value,
      ),
      members: fc.uniqueArray(fc.tuple(name, value), { selector: ([member]) => member, maxLength: 5 }),
    })
    .map(({ created, dialogs, members }) => {
      const more = members.map(([member, json]) => `${JSON.stringify(member)}:${json},`).join("");
      return parseVcon(`{${more}"created_at":${created},"dialog":${dialogs},"uuid":"${sampleVcon().uuid}"}`);
    });

/** JSON with members in one order and numbers as they are written, so that equal texts mean equal documents. */
function canonical(json: string): string {
  const sorted = (at: Json): string => {
    if (typeof at !== "object" || at === null) return JSON.stringify(at);
    if (Array.isArray(at)) return `[${at.map(sorted).join()}]`;
    return `{${Object.entries(at)
      .map(([member, inner]) => `${JSON.stringify(member)}:${sorted(inner)}`)
      .toSorted()
      .join()}}`;
  };
  return sorted(JSON.parse(json, asWritten));
}

const asWritten = (_name: string, at: Json, context?: { readonly source?: string }): Json =>
  typeof at === "number" ? `number ${context?.source}` : at;

/** The document as it is read again: through the bytes of BSON. */
const throughBson = (members: Members, id: unknown = "x"): Members =>
  BSON.deserialize(BSON.serialize({ _id: id, ...members }));

const back = (vcon: Vcon): Vcon => parseVcon(jsonOf(throughBson(membersOf(stored(vcon), mongodb)), mongodb));

/** A vCon of a text, so that numbers keep what no double holds. */
const vconOf = (members: string): Vcon => parseVcon(`{"uuid":"${sampleVcon().uuid}",${members}}`);

test("whatever JSON a vCon holds comes back as it was", () => {
  fc.assert(
    fc.property(hostileVcons(), (vcon) => {
      expect(canonical(serialize(back(vcon)))).toBe(canonical(serialize(vcon)));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["MongoDB 7.0", 21],
  ["MongoDB 4.4, which takes no $ inside documents either", 9],
])("%s takes all of it and gives it back", async (_, wireVersion) => {
  const server = await startMongo({ wireVersion });
  const storage = await openStorage(mongo, { url: server.url });
  const call = { signal: new AbortController().signal };
  const vcons = [...fc.sample(hostileVcons(), 300), vconOf('"constructor":[{"__proto__":[{}]}],"toString":[[{}]]')];
  await storage.saveMany?.(
    vcons.map((vcon) => stored(vcon)),
    call,
  );
  for (const vcon of vcons) {
    const found = await storage.load?.(vcon.uuid, call);
    expect(found && canonical(serialize(found))).toBe(canonical(serialize(vcon)));
  }
  await storage.close?.();
  await server.stop();
});

test("dates become BSON dates where the original has them, and nothing is added when they say it all", () => {
  const vcon = sampleVcon({
    created_at: "2026-01-02T03:04:05.678Z",
    dialog: [{ type: "text", start: "2026-01-02T03:04:05Z" }, { type: "incomplete" }, { type: "text", start: "soon" }],
    analysis: [{ type: "x", vendor: "y", body: { start: "2026-01-02T03:04:05Z" } }],
  });
  const { uuid, ...rest } = vcon;
  expect(membersOf(stored(vcon), mongodb)).toEqual({
    ...rest,
    uuid,
    created_at: new Date("2026-01-02T03:04:05.678Z"),
    dialog: [
      { type: "text", start: new Date("2026-01-02T03:04:05Z") },
      { type: "incomplete" },
      { type: "text", start: "soon" },
    ],
  });
});

test("the offset, the precision and the spelling of a date are kept beside it", () => {
  const created_at = "2026-01-02T08:34:05.123456+05:30";
  const vcon = sampleVcon({ created_at, dialog: [{ type: "text", start: "Fri, 02 Jan 2026 03:04:05 GMT" }] });
  const members = membersOf(stored(vcon), mongodb);
  expect(members).toMatchObject({
    created_at: new Date("2026-01-02T03:04:05.123Z"),
    dialog: [{ start: new Date("2026-01-02T03:04:05Z") }],
    [EXACT]: [
      { at: "/created_at", json: `"${created_at}"` },
      { at: "/dialog/0/start", json: '"Fri, 02 Jan 2026 03:04:05 GMT"' },
    ],
  });
  expect(back(vcon)).toEqual(vcon);
});

test("numbers that no double holds are 64-bit numbers where they fit, and the nearest double with its text elsewhere", () => {
  const vcon = vconOf('"x":[9007199254740993,-9223372036854775808,9223372036854775808,0.12345678901234567891,1e400]');
  const members = membersOf(stored(vcon), mongodb);
  expect(members["x"]).toEqual([
    Long.fromString("9007199254740993"),
    Long.MIN_VALUE,
    2 ** 63,
    0.12345678901234568,
    Number.POSITIVE_INFINITY,
  ]);
  expect(members[EXACT]).toEqual([
    { at: "/x/2", json: "9223372036854775808" },
    { at: "/x/3", json: "0.12345678901234567891" },
    { at: "/x/4", json: "1e400" },
  ]);
  expect(serialize(back(vcon))).toBe(serialize(vcon));
});

test("names the server does not take are kept beside the document, others where they are", () => {
  const vcon = vconOf(
    '"$set":1,"_id":"theirs","_vcon_exact":[],"a.b":{"$ref":"r","$id":2,"_id":3,"":4,"c/d~":{"$":5}}',
  );
  const members = membersOf(stored(vcon), mongodb);
  expect(members).toEqual({
    uuid: vcon.uuid,
    "a.b": { _id: 3, "": 4, "c/d~": {} },
    [EXACT]: [
      { at: "/$set", json: "1" },
      { at: "/_id", json: '"theirs"' },
      { at: "/_vcon_exact", json: "[]" },
      { at: "/a.b/$ref", json: '"r"' },
      { at: "/a.b/$id", json: "2" },
      { at: "/a.b/c~1d~0/$", json: "5" },
    ],
  });
  expect(back(vcon)).toEqual(vcon);
});

test.each([
  ["half of a surrogate pair in a text", { x: "\ud800" }],
  ["half of a surrogate pair in a name", { x: { "\udc00": 1 } }],
  ["U+0000 in a name", { "x\0": 1 }],
  ["a name by which the driver knows its own values", { x: { _bsontype: "ObjectId" } }],
])("%s: the whole text is kept beside what can be stored", (_, members) => {
  const vcon = sampleVcon(members);
  const document = membersOf(stored(vcon), mongodb);
  expect(document).toMatchObject({ uuid: vcon.uuid, [EXACT]: [{ at: "", json: serialize(vcon) }] });
  expect(back(vcon)).toEqual(vcon);
});

test("what is nested too deep for the server is kept as text", () => {
  const depth = 150;
  const vcon = vconOf(`"x":${"[".repeat(depth)}${"]".repeat(depth)}`);
  expect(membersOf(stored(vcon), mongodb)[EXACT]).toEqual([{ at: "", json: serialize(vcon) }]);
  expect(back(vcon)).toEqual(vcon);
});

test("long names around many noted members do not multiply", () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`$${index}`, index]));
  const vcon = sampleVcon({ x: { ["n".repeat(100_000)]: many } });
  const size = BSON.calculateObjectSize(membersOf(stored(vcon), mongodb));
  expect(size).toBeLessThan(3 * serialize(vcon).length);
  expect(back(vcon)).toEqual(vcon);
});

test("a document of the Python server loads, without its _id", () => {
  const { uuid } = sampleVcon();
  const document = {
    uuid,
    vcon: "0.0.1",
    created_at: new Date("2026-01-02T03:04:05.678Z"),
    dialog: [{ type: "text", start: new Date("2026-01-02T03:04:05Z"), duration: Long.fromNumber(7), parties: [0] }],
    analysis: [{ type: "x", body: { $ref: "a", $id: 1, more: [Long.fromString("9007199254740993")] } }],
  };
  expect(jsonOf(throughBson(document, uuid), mongodb)).toBe(
    `{"uuid":"${uuid}","vcon":"0.0.1","created_at":"2026-01-02T03:04:05.678Z","dialog":[{"type":"text","start":"2026-01-02T03:04:05Z","duration":7,"parties":[0]}],"analysis":[{"type":"x","body":{"$ref":"a","$id":1,"more":[9007199254740993]}}]}`,
  );
});

test("whoever changes a stored document in the database is heard", () => {
  const vcon = vconOf(
    '"created_at":"2026-01-02T03:04:05+00:00","x":1e400,"y":0.12345678901234567891,"z":{"_id":1e400},"subject":"old"',
  );
  const document = {
    ...throughBson(membersOf(stored(vcon), mongodb)),
    created_at: new Date("2026-02-03T04:05:06Z"),
    x: 7,
    z: { _id: 8 },
    subject: "new",
  };
  const changed = { uuid: vcon.uuid, created_at: "2026-02-03T04:05:06Z", x: 7, z: { _id: 8 }, subject: "new" };
  expect(parseVcon(jsonOf(document, mongodb))).toEqual({ ...vcon, ...changed });
  const { created_at: _, x: __, z: ___, ...without } = document;
  expect(JSON.parse(jsonOf(without, mongodb))).toEqual({ uuid: vcon.uuid, y: 0.12345678901234568, subject: "new" });
});

test("values of other programs that JSON has come as JSON, others are named", () => {
  expect(jsonOf(throughBson({ a: Decimal128.fromString("1.50"), b: -0, c: 1e21, d: null }), mongodb)).toBe(
    '{"a":1.50,"b":0,"c":1e+21,"d":null}',
  );
  const hostile: [unknown, RegExp][] = [
    [new ObjectId(), /ObjectId/],
    [Number.NaN, /NaN/],
    [Decimal128.fromString("Infinity"), /Infinity/],
    [/x/, /RegExp/],
    [new Date(Number.NaN), /date|time/i],
  ];
  for (const [value, message] of hostile) expect(() => jsonOf({ value }, mongodb)).toThrow(message);
});

test("notes of another shape are passed over", () => {
  for (const notes of [1, {}, [1], [{ at: 1, json: "2" }], [{ at: "/a" }], [{ at: "/a/b", json: "2" }]])
    expect(jsonOf({ a: 1, [EXACT]: notes }, mongodb)).toBe('{"a":1}');
});
