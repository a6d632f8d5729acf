import { type Json, parseJson } from "@vcon-server/vcon";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonPatch, jsonPatch } from "./json-patch.ts";

const apply = (document: Json, patch: unknown) => jsonPatch(document, JsonPatch.parse(patch), 10_000);

const parsed = (text: string): Json => {
  const result = parseJson(text);
  if (!result.ok) throw new Error(result.problem.message);
  return result.value;
};

describe("jsonPatch", () => {
  test.each<readonly [what: string, document: Json, operation: object, result: Json]>([
    ["adds a member", { a: 1 }, { op: "add", path: "/b", value: 2 }, { a: 1, b: 2 }],
    ["adds an element", { a: [1, 3] }, { op: "add", path: "/a/1", value: 2 }, { a: [1, 2, 3] }],
    ["appends an element", { a: [1] }, { op: "add", path: "/a/-", value: [2] }, { a: [1, [2]] }],
    ["add replaces a member", { a: 1 }, { op: "add", path: "/a", value: null }, { a: null }],
    ["add replaces the document", { a: 1 }, { op: "add", path: "", value: { b: 1 } }, { b: 1 }],
    ["removes a member", { a: 1, b: 2 }, { op: "remove", path: "/b" }, { a: 1 }],
    ["removes an element", { a: [1, 2, 3] }, { op: "remove", path: "/a/1" }, { a: [1, 3] }],
    [
      "replaces deep down",
      { a: { b: [{ c: 1 }] } },
      { op: "replace", path: "/a/b/0/c", value: 2 },
      { a: { b: [{ c: 2 }] } },
    ],
    ["moves a member", { a: { b: 1 }, c: {} }, { op: "move", from: "/a/b", path: "/c/d" }, { a: {}, c: { d: 1 } }],
    ["moves an element", { a: [1, 2, 3] }, { op: "move", from: "/a/0", path: "/a/2" }, { a: [2, 3, 1] }],
    ["copies", { a: [1] }, { op: "copy", from: "/a", path: "/b" }, { a: [1], b: [1] }],
    [
      "tests without regard to the order of members",
      { a: { x: 1, y: 2 } },
      { op: "test", path: "/a", value: { y: 2, x: 1 } },
      { a: { x: 1, y: 2 } },
    ],
    ["reads ~0 and ~1", { "m~n": 1, "a/b": 2 }, { op: "replace", path: "/a~1b", value: 3 }, { "m~n": 1, "a/b": 3 }],
    ["ignores members it does not know", {}, { op: "add", path: "/a", value: 1, xyz: 1 }, { a: 1 }],
  ])("%s", (_what, document, operation, result) => {
    expect(apply(document, [operation])).toEqual({ ok: true, value: result });
  });

  test.each<readonly [what: string, document: Json, operation: object]>([
    ["a missing parent", {}, { op: "add", path: "/a/b", value: 1 }],
    ["a missing member", {}, { op: "remove", path: "/a" }],
    ["replacing what is not there", { a: 1 }, { op: "replace", path: "/b", value: 1 }],
    ["a position beyond the end", { a: [1] }, { op: "add", path: "/a/2", value: 1 }],
    ["a position with leading zeros", { a: [1, 2] }, { op: "remove", path: "/a/01" }],
    ["a member of a string", { a: "text" }, { op: "add", path: "/a/length", value: 1 }],
    ["moving something into itself", { a: { b: 1 } }, { op: "move", from: "/a", path: "/a/b" }],
    ["an inherited member", {}, { op: "replace", path: "/constructor", value: 1 }],
    ["removing the document", {}, { op: "remove", path: "" }],
  ])("refuses %s and says which operation", (_what, document, operation) => {
    expect(apply(document, [{ op: "test", path: "", value: document }, operation])).toMatchObject({
      ok: false,
      at: 1,
      reason: "impossible",
    });
  });

  test("a failed test is told apart", () => {
    expect(apply({ a: "1" }, [{ op: "test", path: "/a", value: 1 }])).toMatchObject({
      ok: false,
      at: 0,
      reason: "test",
    });
  });

  test("copies of copies end at the limit", () => {
    const doubling = Array.from({ length: 60 }, () => ({ op: "copy", from: "", path: "/a" }));
    expect(apply({ a: "text" }, doubling)).toMatchObject({ ok: false, reason: "costly" });
  });

  test("a thousand insertions into a long list are carried out", () => {
    const list = Array.from({ length: 300_000 }, () => 0);
    const patch = Array.from({ length: 1000 }, (_, at) => ({ op: "add", path: "/list/1", value: at }));
    const result = apply({ list }, patch);
    expect(result.ok && (result.value as { list: number[] }).list.slice(0, 4)).toEqual([0, 999, 998, 997]);
    expect(list).toHaveLength(300_000);
  });

  const long = Array.from({ length: 1_000_000 }, () => 0);
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`x${at}`, 0]));
  test.each<readonly [what: string, document: Json, operations: readonly object[]]>([
    ["insertions into a list too long", { long }, [{ op: "add", path: "/long/0", value: 0 }]],
    ["removals from it", { long }, [{ op: "remove", path: "/long/0" }]],
    ["comparisons of much", { long, b: long }, [{ op: "test", path: "/long", value: [...long] }]],
    ["comparisons with something wide", { wide }, [{ op: "test", path: "/wide", value: { ...wide } }]],
    [
      "copies of lists that are changed in between",
      { long },
      [
        { op: "copy", from: "/long/0", path: "/a" },
        { op: "replace", path: "/long/0", value: 1 },
      ],
    ],
    [
      "moves of much ever deeper",
      { long, a: {} },
      [
        { op: "move", from: "/long", path: "/a/b" },
        { op: "move", from: "/a/b", path: "/long" },
      ],
    ],
  ])("%s take too much work, and the operation is named", (_what, document, operations) => {
    const patch = Array.from({ length: 1000 / operations.length }, () => operations).flat();
    const result = jsonPatch(document, JsonPatch.parse(patch), 1_000_000);
    expect(result).toMatchObject({ ok: false, reason: "costly", message: expect.stringContaining("send it in parts") });
    expect(result.ok || result.at).toBeGreaterThan(0);
  });

  test.each([
    [[{ op: "copy", from: "", path: "/a" }]],
    [
      [
        { op: "add", path: `${"/a".repeat(150)}`, value: JSON.parse(`${"[".repeat(60)}${"]".repeat(60)}`) },
        { op: "test", path: "", value: 1 },
      ],
    ],
  ])("nothing gets deeper than a document may be", (operations) => {
    const nested = JSON.parse(`${'{"a":'.repeat(199)}{}${"}".repeat(199)}`);
    expect(apply(nested, operations)).toMatchObject({ ok: false, message: expect.stringContaining("nested deeper") });
  });

  test("pointers as long as a body are refused at once", () => {
    const bad = `/${"a".repeat(5_000_000)}~`;
    expect(JsonPatch.safeParse([{ op: "remove", path: bad }]).success).toBe(false);
    const parse = (depth: number) => JsonPatch.safeParse([{ op: "test", path: "/a".repeat(depth), value: 1 }]);
    expect(parse(200).success).toBe(true);
    for (const depth of [201, 2_000_000])
      expect(parse(depth).error?.issues).toMatchObject([{ message: "leads deeper than 200 levels" }]);
  });

  test("__proto__ is a member like others, large numbers keep their digits", () => {
    const patch = parsed('[{"op":"add","path":"/__proto__","value":{"x":12345678901234567890}}]');
    const result = apply(parsed("{}"), patch);
    expect(JSON.stringify(result.ok && result.value)).toBe('{"__proto__":{"x":12345678901234567890}}');
    expect(Reflect.get({}, "x")).toBeUndefined();
  });

  test("never changes what it was given, whatever the patch", () => {
    const path = fc.constantFrom("", "/a", "/a/0", "/a/-", "/b", "/b/c", "/x/y");
    const value = fc.jsonValue({ maxDepth: 1 });
    const operation = fc.oneof(
      fc.record({ op: fc.constantFrom("add", "replace", "test"), path, value }),
      fc.record({ op: fc.constant("remove"), path }),
      fc.record({ op: fc.constantFrom("move", "copy"), path, from: path }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 8 }), (patch) => {
        const document: Json = { a: [1, { z: 1 }], b: { c: [] } };
        const before = JSON.stringify(document);
        apply(document, patch);
        expect(JSON.stringify(document)).toBe(before);
      }),
    );
  });
  test("a patch does what its operations do one after the other", () => {
    const path = fc.constantFrom("", "/a", "/a/0", "/a/1/z", "/a/-", "/b", "/b/c", "/b/c/0", "/d", "/d/0", "/d/c");
    const value = fc.constantFrom<Json>(1, [], {}, [1, { z: [2] }], { c: [{ d: 1 }] });
    const operation = fc.oneof(
      fc.record({ op: fc.constantFrom("add", "replace"), path, value }),
      fc.record({ op: fc.constant("remove"), path }),
      fc.record({ op: fc.constantFrom("move", "copy"), path, from: path }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
        let document: Json = { a: [1, { z: 1 }], b: { c: [] } };
        const before = document;
        // what cannot be carried out is left out, so that much is left
        const possible = operations.filter((each) => {
          const result = apply(document, [each]);
          if (result.ok) document = JSON.parse(JSON.stringify(result.value));
          return result.ok;
        });
        expect(apply(before, possible)).toEqual({ ok: true, value: document });
      }),
      { numRuns: 2000 },
    );
  });
});
