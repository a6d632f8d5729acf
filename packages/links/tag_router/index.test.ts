import { sampleVcon, testLink } from "@vcon-server/core/testing";
import { expect, test } from "vitest";
import tagRouter, { listsFor } from "./index.ts";

const tagged = (...tags: string[]) =>
  sampleVcon({ attachments: [{ purpose: "tags", encoding: "json", body: JSON.stringify(tags) }] });

test("each list is named once, in the order of the routes", () => {
  expect(listsFor(["b", "a", "c"], { a: "hot", b: "cold", c: "hot" })).toEqual(["hot", "cold"]);
  expect(listsFor(["toString", "__proto__"], { a: "hot" })).toEqual([]);
});

test("routes by tag name and goes on", async () => {
  const vcon = tagged("urgent:yes", "urgent:very", "lang:en");
  const outcome = await testLink(tagRouter, {
    vcon,
    options: { tag_routes: { urgent: "urgent_vcons", spam: "spam" } },
  });
  expect(outcome).toEqual({ kind: "forward", vcon, sendTo: ["urgent_vcons"] });
});

test("tags under the older name of that member, and as an object, count too", async () => {
  const attachments = [
    { type: "tags", encoding: "json", body: '["urgent:yes"]' },
    { purpose: "tags", encoding: "json", body: { lang: "en" } },
  ];
  const options = { tag_routes: { urgent: "one", lang: "two" } };
  expect(await testLink(tagRouter, { vcon: sampleVcon({ attachments }), options })).toMatchObject({
    sendTo: ["one", "two"],
  });
});

test("halts when told not to forward, with a route and without", async () => {
  const options = { tag_routes: { urgent: "q" }, forward_original: false };
  expect(await testLink(tagRouter, { vcon: tagged("urgent:yes"), options })).toEqual({
    kind: "halt",
    reason: "routed by tag",
    sendTo: ["q"],
  });
  expect(await testLink(tagRouter, { vcon: tagged("lang:en"), options })).toEqual({
    kind: "halt",
    reason: "no tag of it has a route",
    sendTo: [],
  });
});

test.each([
  {},
  { tag_routes: { a: "no spaces" } },
  { tag_routes: { a: 7 } },
  { tag_routes: {}, forward_orignal: true },
])("the options %o are refused", (options) => {
  expect(tagRouter.options.safeParse(options).success).toBe(false);
});
