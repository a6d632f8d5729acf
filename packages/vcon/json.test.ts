import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRawNumber, MAX_DEPTH, parseJson, parseVcon, serialize, toBytes } from "./index.ts";
import { jsonText, problemOf } from "./json.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const read = (text: string) => {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(parsed.problem.message);
  return parsed.value;
};

describe("what is accepted", () => {
  test("every JSON value reads as JSON.parse reads it, from text, bytes and pretty-printed text", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!text.includes("\\u0000") && !/\\ud[89a-f]/i.test(text) && !text.includes("e-"));
        for (const input of [text, bytes(text)]) {
          expect(parseJson(input)).toEqual({ ok: true, value: JSON.parse(text), findings: [] });
        }
      }),
    );
  });

  test("whatever JSON.parse refuses is refused with a place inside the text, and nothing else is", () => {
    const alphabet = fc.constantFrom(...'{}[]:,"\\ntruefals0123.eE+- \t\n', "\\u00e9", '"a":', '{"b":1}');
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        const parsed = parseJson(text);
        expect(parsed.ok).toBe(isJson(text));
        if (!parsed.ok) expect(parsed.problem.offset).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2000 },
    );
  });

  test("a byte order mark is not part of the document", () => {
    expect(parseJson("\uFEFF{}")).toEqual({ ok: true, value: {}, findings: [] });
    expect(parseJson(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))).toEqual({ ok: true, value: {}, findings: [] });
  });

  test("escaped surrogate pairs are characters like any other", () => {
    expect(read('["\\ud83d\\ude00 \\u00e9"]')).toEqual(["😀 é"]);
  });
});

describe("what is refused says where", () => {
  test.each([
    ['{"a": 1,}', "form.json", "", 8],
    ['{"a": [1, 2', "form.json", "/a", 11],
    ['{"dialog": [{"body": "x\ny"}]}', "form.json", "/dialog/0/body", 23],
    ['{"a": NaN}', "form.json", "/a", 6],
    ["{'a': 1}", "form.json", "", 1],
    ['{"a": "\\x"}', "form.json", "/a", 7],
    ['{"a": 01}', "form.json", "", 7],
    ["{} {}", "form.json", "", 3],
    ["", "form.json", "", 0],
    ['{"a": ["ok", "\\u0000"]}', "form.nul", "/a/1", 13],
    ['{"a\\u0000b": 1}', "form.nul", "", 1],
    ['{"a": "\\ud800"}', "form.surrogate", "/a", 6],
    ['{"a": "\\udc00\\ud800"}', "form.surrogate", "/a", 6],
    ['{"a~/b": {"c": tru}}', "form.json", "/a~0~1b/c", 15],
  ])("%s", (text, code, pointer, offset) => {
    const parsed = parseJson(text);
    expect(parsed).toMatchObject({ ok: false, problem: { code, pointer, offset } });
  });

  test("half a surrogate pair that is written out, and bytes that are not UTF-8", () => {
    expect(parseJson('{"a": "\ud800"}')).toMatchObject({ problem: { code: "form.surrogate", pointer: "/a" } });
    expect(parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ problem: { code: "form.utf8" } });
  });

  test("nesting is accepted up to the limit and refused beyond it, however deep", () => {
    expect(parseJson(nested(MAX_DEPTH)).ok).toBe(true);
    expect(parseJson(nested(MAX_DEPTH + 1))).toMatchObject({
      problem: { code: "form.depth", pointer: "/0".repeat(MAX_DEPTH) },
    });
    expect(parseJson(nested(200_000))).toMatchObject({ problem: { code: "form.depth" } });
    expect(parseJson("[".repeat(200_000))).toMatchObject({ problem: { code: "form.depth" } });
    expect(parseJson('{"a":[[1]]}', 2)).toMatchObject({ problem: { code: "form.depth", pointer: "/a/0" } });
  });

  test("a value that was parsed by somebody else is held to the same", () => {
    expect(problemOf({ a: ["x", "\0"] })).toMatchObject({ code: "form.nul", pointer: "/a/1" });
    expect(problemOf({ "\ud800": 1 })).toMatchObject({ code: "form.surrogate" });
    expect(problemOf(JSON.parse(nested(MAX_DEPTH + 1)))).toMatchObject({ code: "form.depth" });
    expect(problemOf({ a: [{ b: "fine" }], big: read("1e400") })).toBeUndefined();
  });
});

describe("repeated names", () => {
  test.each([
    ['{"a":1,"b":2,"a":3}', ["/a"]],
    ['{"x":[{"a":1},{"a" : 1, "a"\n:2}]}', ["/x/1/a"]],
    ['{"a\\"":1,"a\\"":2}', ['/a"']],
    ['{"a\\\\":1,"a\\\\":2}', ["/a\\"]],
    ['{"\\u0061":1,"a":2}', ["/a"]],
    ['{"":1,"":2}', ["/"]],
  ])("%s", (text, pointers) => {
    const parsed = parseJson(text);
    expect(parsed.ok && parsed.findings.map(({ code, pointer }) => [code, pointer])).toEqual(
      pointers.map((pointer) => ["form.duplicate-key", pointer]),
    );
    expect(read(text)).toEqual(JSON.parse(text));
  });

  test("text that looks like members inside strings is no repetition", () => {
    const inner = JSON.stringify({ a: 1, b: [{ a: 2 }] });
    expect(parseJson(JSON.stringify({ a: inner, b: [":a", '":', "\\"], c: JSON.stringify({ inner }) }))).toMatchObject({
      ok: true,
      findings: [],
    });
  });

  test("every repetition is found in generated objects", () => {
    const name = fc.string({ maxLength: 3 }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), (names) => {
        const parsed = parseJson(`{${names.map((text) => `${JSON.stringify(text)}:":\\\\"`).join(",")}}`);
        expect(parsed.ok && parsed.findings.length).toBe(names.length - new Set(names).size);
      }),
    );
  });

  test("their number is bounded", () => {
    const parsed = parseJson(`{${'"a":1,'.repeat(5000)}"a":1}`);
    expect(parsed.ok && parsed.findings.length).toBe(100);
  });
});

describe("numbers", () => {
  test.each([
    "12345678901234567890",
    "-9007199254740993",
    "1e400",
    "-1.5E+999",
    "1e-400",
    "4.94e-324",
    "0.1000000000000000055511151231257827",
    "123456789.123456789123",
    "4.50000000000000000001",
  ])("%s keeps its text at any depth", (number) => {
    for (const text of [number, `{"a":{"b":[1,${number}]}}`, `[\n${number}\n]`, `{"a":-1,"b":${number}}`]) {
      expect(JSON.stringify(read(text))).toBe(text.replaceAll("\n", ""));
      expect(JSON.stringify(jsonText(text))).toBe(text.replaceAll("\n", ""));
    }
    expect(isRawNumber(read(number))).toBe(true);
  });

  test.each([
    "0.30000000000000004",
    "1e22",
    "-0.2834823131561279",
    "9007199254740992",
    "5e-324",
    "1.7976931348623157e308",
  ])("%s is a plain number, since a double holds it", (number) =>
    expect(read(`[${number}]`)).toEqual([Number(number)]),
  );

  test("any decimal number that is read and written again has the same value", () => {
    const digits = fc.stringMatching(/^(?:0|[1-9]\d{0,24})(?:\.\d{1,24})?(?:[eE][+-]?\d{1,4})?$/);
    fc.assert(
      fc.property(digits, fc.boolean(), (text, negative) => {
        const number = negative ? `-${text}` : text;
        expect(decimal(JSON.stringify(read(`[${number}]`)).slice(1, -1))).toBe(decimal(number));
      }),
      { numRuns: 2000 },
    );
  });

  test("a raw number is no object to those who look at members", () => {
    const value = read('{"uuid":"01a088b7-7e9e-8501-9c23-b79d96f1a1ba","parties":[],"big":1e400}');
    expect(JSON.stringify(value)).toContain('"big":1e400');
  });
});

describe("names that mean something to JavaScript", () => {
  test.each(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"])(
    "%s is a member like any other",
    (name) => {
      const text = `{"uuid":"01a088b7-7e9e-8501-9c23-b79d96f1a1ba","${name}":{"polluted":1},"big":12345678901234567890}`;
      const value = read(text);
      expect(typeof value === "object" && value !== null && Object.keys(value)).toContain(name);
      expect(JSON.stringify(value)).toBe(text);
      expect(Reflect.get({}, "polluted")).toBeUndefined();
    },
  );
});

test("a stored document is written as it was read", () => {
  const text = '{"uuid":"01a088b7-7e9e-8501-9c23-b79d96f1a1ba","parties":[{"x":"é"}],"n":1e400,"__proto__":[1]}';
  expect(serialize(parseVcon(text))).toBe(text);
  expect(toBytes(parseVcon(bytes(text)))).toEqual(bytes(text));
});

test("what was stored and is no vCon is an error", () => {
  expect(() => parseVcon("{")).toThrow(/not JSON/);
  expect(() => parseVcon('{"parties":[]}')).toThrow(/no usable uuid/);
  expect(() => parseVcon("[]")).toThrow(/no vCon/);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A spelling that equal decimal numbers share, made with big integers. */
function decimal(text: string): string {
  const [, sign, whole = "", fraction = "", power = "0"] = /^(-?)(\d+)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  let [digits, exponent] = [BigInt(whole + fraction), Number(power) - fraction.length];
  if (digits === 0n) return "0";
  while (digits % 10n === 0n) [digits, exponent] = [digits / 10n, exponent + 1];
  return `${sign}${digits}e${exponent}`;
}
