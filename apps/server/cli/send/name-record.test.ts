import fc from "fast-check";
import { expect, test } from "vitest";
import { nameRecord } from "./name-record.ts";
import type { VconRecord } from "./records.ts";

const record = (text: string, rest: Partial<VconRecord> = {}): VconRecord => ({
  source: { name: "in.ndjson", path: "in.ndjson", size: undefined, fingerprint: "" },
  line: 1,
  text,
  bytes: text.length,
  ...rest,
});

const nameOf = ({ text }: VconRecord): unknown => Reflect.get(JSON.parse(text), "uuid");

test("any vCon without a uuid gets one and keeps everything else as it is", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (members) => {
      const { uuid: _, ...nameless } = members;
      const text = JSON.stringify(nameless);
      const { uuid, ...rest } = JSON.parse(nameRecord(record(text)).text);
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(rest).toEqual(JSON.parse(text));
    }),
  );
  expect(nameRecord(record('{ "n": 1.10 }')).text).toMatch(/^\{"uuid":"[^"]+","n": 1\.10 \}$/);
});

test("the same vCon at the same place has the same uuid, others have others", () => {
  const first = nameOf(nameRecord(record('{"a":1}')));
  expect(nameOf(nameRecord(record('{"a":1}')))).toBe(first);
  expect(nameOf(nameRecord(record('{"a":2}')))).not.toBe(first);
  expect(nameOf(nameRecord(record('{"a":1}', { line: 2 })))).not.toBe(first);
});

test("what has a uuid, or is no JSON object, is sent as it is", () => {
  for (const text of ['{"uuid":null}', '{"uuid":"x"}', "[1]", "{", "null"])
    expect(nameRecord(record(text)).text).toBe(text);
});
