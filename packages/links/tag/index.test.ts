import { sampleVcon, testLink } from "@vcon-server/core/testing";
import { tagsOf, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import tag, { tagFrom } from "./index.ts";

const tagged = async (vcon: Vcon, tags: unknown): Promise<Vcon> => {
  const outcome = await testLink(tag, { vcon, options: { tags } });
  if (outcome.kind !== "forward") throw new Error(`halted: ${outcome.reason}`);
  return outcome.vcon;
};

test("a word is written twice, as the Python server does; both parts may be given", async () => {
  const vcon = await tagged(sampleVcon(), ["urgent", "lang:en", { name: "queue", value: "a:b" }]);
  expect(vcon.attachments).toEqual([
    { purpose: "tags", encoding: "json", body: '["urgent:urgent","lang:en","queue:a:b"]' },
  ]);
});

test("a map gives names with their values", async () => {
  expect([...tagsOf(await tagged(sampleVcon(), { queue: "support", lang: "en" }))]).toEqual([
    ["queue", ["support"]],
    ["lang", ["en"]],
  ]);
});

test("tags that are there are not added again, and nothing is touched when all are", async () => {
  const once = await tagged(sampleVcon(), ["urgent"]);
  expect(await tagged(once, ["urgent", "urgent:urgent"])).toBe(once);
  expect([...tagsOf(await tagged(once, ["urgent:very"]))]).toEqual([["urgent", ["urgent", "very"]]]);
});

test("the vCon that came in is not changed", async () => {
  const vcon = Object.freeze(
    sampleVcon({ attachments: Object.freeze([{ purpose: "tags", encoding: "json", body: '["a:b"]' }]) }),
  );
  const result = await tagged(vcon, ["urgent"]);
  expect(result.attachments).toEqual([{ purpose: "tags", encoding: "json", body: '["a:b","urgent:urgent"]' }]);
  expect(vcon.attachments?.[0]?.body).toBe('["a:b"]');
});

test("running again, in any number of steps, gives the same tags", async () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,3}(:[a-z]{1,2})?$/), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(words, async (tags) => {
      const vcon = sampleVcon();
      const atOnce = await tagged(vcon, tags);
      let stepwise = vcon;
      for (const one of tags) stepwise = await tagged(stepwise, [one]);
      expect(stepwise).toEqual(atOnce);
      expect(await tagged(atOnce, tags)).toBe(atOnce);
    }),
    { numRuns: 50 },
  );
});

test("a colon at the very beginning belongs to the word", () => {
  expect(tagFrom(":x")).toEqual({ name: ":x", value: ":x" });
  expect(tagFrom("x:")).toEqual({ name: "x", value: "" });
});

test.each([
  {},
  { tags: [] },
  { tags: [""] },
  { tags: "urgent" },
  { tags: [7] },
  { tags: [{ name: "a:b", value: "c" }] },
  { tags: ["a"], tag: ["b"] },
])("the options %o are refused", (options) => {
  expect(tag.options.safeParse(options).success).toBe(false);
});

test("a chain that writes JSON bodies as values gets a value", async () => {
  const outcome = await testLink(tag, { options: { tags: ["urgent"] }, jsonBodies: "value" });
  expect(outcome.vcon?.attachments).toEqual([{ purpose: "tags", encoding: "json", body: ["urgent:urgent"] }]);
});
