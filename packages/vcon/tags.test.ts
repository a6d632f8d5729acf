import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Attachment, parseVcon, tagsOf, type Vcon, withTags } from "./index.ts";

const vconWith = (...attachments: Attachment[]): Vcon => ({
  ...parseVcon('{"uuid":"01a088b7-7e9e-8501-9c23-b79d96f1a1ba","parties":[{}]}'),
  attachments,
});
const tags = (body: Attachment["body"], rest: Attachment = {}): Attachment => ({
  purpose: "tags",
  encoding: "json",
  ...(body !== undefined && { body }),
  ...rest,
});
const entries = (vcon: Vcon) => Object.fromEntries(tagsOf(vcon));

describe("reading", () => {
  test.each([
    [
      "a list",
      tags(["topic:delivery", "link:https://a.example/t"]),
      { topic: ["delivery"], link: ["https://a.example/t"] },
    ],
    ["a list as text", tags('["a:1","a:2","a:1"]'), { a: ["1", "2"] }],
    ["a list as text under none", tags('["a:1"]', { encoding: "none" }), { a: ["1"] }],
    ["a list under none", tags(["a:1"], { encoding: "none" }), { a: ["1"] }],
    ["a tag without colon", tags(["urgent"]), { urgent: [""] }],
    ["a label with colons", tags(["a: b:a: b", "a:b:c:a:b:c"]), { "a: b": ["a: b"], "a:b:c": ["a:b:c"] }],
    ["colons alone", tags([":", ":::"]), { "": [""], ":": [":"] }],
    ["an object", tags({ a: "1", b: ["2", 3], c: null, d: true }), { a: ["1"], b: ["2", "3"], c: [""], d: ["true"] }],
    ["the older name of purpose", { type: "tags", encoding: "json", body: ["a:1"] }, { a: ["1"] }],
    ["text that is no JSON", tags("a:1"), {}],
    ["entries that are no strings", tags([1, null, "a:1"]), { a: ["1"] }],
    ["another purpose", tags(["a:1"], { purpose: "notes" }), {}],
    ["names of JavaScript", tags(["__proto__:1"]), Object.fromEntries([["__proto__", ["1"]]])],
  ])("%s", (_, attachment, expected) => expect(entries(vconWith(attachment))).toEqual(expected));

  test("several attachments are one set, none is none", () => {
    expect(entries(vconWith(tags(["a:1"]), tags('["a:2"]')))).toEqual({ a: ["1", "2"] });
    expect(entries(vconWith())).toEqual({});
  });
});

describe("adding", () => {
  const added = [{ name: "iron", value: "maiden" }];

  test("makes the attachment the ecosystem reads", () => {
    expect(withTags(vconWith(), added).attachments).toEqual([
      { purpose: "tags", body: '["iron:maiden"]', encoding: "json" },
    ]);
    expect(withTags(vconWith(), added, { mode: "value", members: { party: 0 } }).attachments).toEqual([
      { purpose: "tags", body: ["iron:maiden"], encoding: "json", party: 0 },
    ]);
  });

  test.each([
    ["a list", tags(["a:1"], { party: 1 }), ["a:1", "iron:maiden"]],
    ["a list as text", tags('["a:1"]'), '["a:1","iron:maiden"]'],
    ["an object", tags({ a: "1", iron: "x" }), { a: "1", iron: ["x", "maiden"] }],
  ])("keeps the way an existing attachment is written: %s", (_, attachment, body) => {
    expect(withTags(vconWith({ purpose: "notes" }, attachment), added).attachments).toEqual([
      { purpose: "notes" },
      { ...attachment, body },
    ]);
  });

  test("leaves a tags attachment alone that it cannot read", () => {
    const odd = tags("a:1");
    expect(withTags(vconWith(odd), added).attachments).toEqual([
      odd,
      { purpose: "tags", body: '["iron:maiden"]', encoding: "json" },
    ]);
  });

  test("is the same object when nothing is new, never a duplicate, and mutates nothing", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.string({ unit: fc.constantFrom("a", "b", ":"), maxLength: 5 }),
    );
    const tag = fc.record({ name: text, value: text });
    fc.assert(
      fc.property(fc.array(tag), fc.constantFrom("text", "value"), (list, mode) => {
        const before = Object.freeze(vconWith(Object.freeze(tags(Object.freeze(["a:1"])))));
        const once = withTags(before, list, { mode });
        expect(withTags(once, list, { mode })).toBe(once);
        const all = [...tagsOf(once)].flatMap(([name, values]) => values.map((value) => `${name}:${value}`));
        expect(new Set(all)).toEqual(new Set(["a:1", ...list.map(({ name, value }) => `${name}:${value}`)]));
        expect(all.length).toBe(new Set(all).size);
      }),
    );
  });
});
