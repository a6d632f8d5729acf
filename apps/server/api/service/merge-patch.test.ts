import { type Json, parseJson } from "@vcon-server/vcon";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mergePatch } from "./merge-patch.ts";

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;

const parsed = (text: string): Json => {
  const result = parseJson(text);
  if (!result.ok) throw new Error(result.problem.message);
  return result.value;
};

describe("mergePatch", () => {
  test.each<readonly [target: Json, patch: Json, result: Json]>([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [["a", "b"], ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("%j with %j gives %j", (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  test("applying a patch again changes nothing more", () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  test("members called __proto__ are members like others, and no prototype changes", () => {
    const result = mergePatch(parsed('{"a":1}'), parsed('{"__proto__":{"polluted":true}}'));
    expect(JSON.stringify(result)).toBe('{"a":1,"__proto__":{"polluted":true}}');
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("numbers that a double cannot hold survive on both sides", () => {
    const result = mergePatch(parsed('{"kept":12345678901234567890}'), parsed('{"new":1e400}'));
    expect(JSON.stringify(result)).toBe('{"kept":12345678901234567890,"new":1e400}');
  });
});
