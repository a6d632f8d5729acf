import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearest } from "./suggest.ts";

test("distances are those of a person's slips", () => {
  expect(editDistance("tag", "tag")).toBe(0);
  expect(editDistance("tga", "tag")).toBe(1);
  expect(editDistance("tagg", "tag")).toBe(1);
  expect(editDistance("tab", "tag")).toBe(1);
  expect(editDistance("", "tag")).toBe(3);
});

test("a distance is symmetric, zero only for equals, and never more than the longer word", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (one, other) => {
      const distance = editDistance(one, other);
      expect(distance).toBe(editDistance(other, one));
      expect(distance === 0).toBe(one === other);
      expect(distance).toBeLessThanOrEqual(Math.max(one.length, other.length));
    }),
  );
});

test("the nearest word is found, and none when nothing is near", () => {
  expect(nearest("webhok", ["tag", "webhook"])).toBe("webhook");
  expect(nearest("Webhook-URLs", ["webhook_urls"])).toBe("webhook_urls");
  expect(nearest("transmogrify", ["tag", "webhook"])).toBeUndefined();
  expect(nearest("x", [])).toBeUndefined();
});
