import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { keepSources, rewritten } from "./keep-sources.ts";
import { readYaml } from "./yaml-source.ts";

const tree = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie("node"), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-d]{1,2}$/), tie("node"), { maxKeys: 4 }),
  ),
})).node;

const map = fc.dictionary(fc.stringMatching(/^[a-d]{1,2}$/), tree, { maxKeys: 4 });

/** What is shown of a text stands for it; here every text is shown in capitals. */
function show(value: unknown): unknown {
  if (typeof value === "string") return `shown ${value}`;
  if (Array.isArray(value)) return value.map(show);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, show(item)]));
}

test("what is sent back unchanged is what was written", () => {
  fc.assert(
    fc.property(map, (written) => {
      const { value, unknownMasks } = keepSources({ written, shown: show(written) }, show(written));
      expect(value).toEqual(written);
      expect(unknownMasks).toEqual([]);
    }),
  );
});

test("what is new is taken as it is", () => {
  fc.assert(
    fc.property(map, map, (written, next) => {
      expect(keepSources({ written, shown: show(written) }, next).value).toEqual(next);
    }),
  );
});

test("a rewritten text holds the new value, whatever the old one was", () => {
  fc.assert(
    fc.property(map, map, (old, next) => {
      const { source } = readYaml(JSON.stringify(old));
      expect(parse(rewritten(source.document, next))).toEqual(next);
    }),
  );
});

test("entries of a list keep their source when others come and go", () => {
  const former = { written: ["$A", "$B", "c"], shown: ["a", "b", "c"] };
  expect(keepSources(former, ["b", "new"]).value).toEqual(["$B", "new"]);
  expect(keepSources(former, ["x", "a", "b", "c"]).value).toEqual(["x", "$A", "$B", "c"]);
});

test("of secrets that look alike none is kept when one is gone", () => {
  const former = { written: ["one", "two"], shown: ["***", "***"] };
  expect(keepSources(former, ["***"]).unknownMasks).toEqual([[0]]);
  expect(keepSources(former, ["***", "***", "three"])).toEqual({ value: ["one", "two", "three"], unknownMasks: [] });
});

test("anchors are written out: a change must not reach the places that refer to it", () => {
  const { source } = readYaml("a: &x {k: 1}\nb: *x\n");
  expect(parse(rewritten(source.document, { a: { k: 2 }, b: { k: 1 } }))).toEqual({ a: { k: 2 }, b: { k: 1 } });
});
