import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conditionOf, etagOf, isFresh } from "./etag.ts";

describe("entity tags", () => {
  test("a tag carries the revision and the version that was asked for", () => {
    expect(etagOf(7)).toBe('"7"');
    expect(etagOf(7, "0.0.1")).toBe('"7-0.0.1"');
    expect(etagOf("x0123456789abcdef")).toBe('"x0123456789abcdef"');
  });

  test("If-Match names revisions, whatever version they were read in; weak tags match nothing", () => {
    expect(conditionOf({ "if-match": '"7-0.0.1", "x0123456789abcdef", W/"8", "nonsense"' })).toEqual({
      match: [7, "x0123456789abcdef"],
    });
    expect(conditionOf({ "if-match": "*" })).toEqual({ present: true });
    expect(conditionOf({ "if-none-match": "*" })).toEqual({ absent: true });
    expect(conditionOf({})).toBeUndefined();
  });

  test("If-None-Match with tags on a write is refused rather than ignored", () => {
    expect(() => conditionOf({ "if-none-match": '"7"' })).toThrow("If-Match");
  });

  test("If-None-Match on a read compares the whole tag", () => {
    expect(isFresh('"6", W/"7"', '"7"')).toBe(true);
    expect(isFresh('"7-0.0.1"', '"7"')).toBe(false);
    expect(isFresh("*", '"7"')).toBe(true);
    expect(isFresh(undefined, '"7"')).toBe(false);
  });

  test("what a client was given is what it can send back", () => {
    const revision = fc.oneof(
      fc.integer({ min: 1 }),
      fc.stringMatching(/^x[0-9a-f]{16}$/) as fc.Arbitrary<`x${string}`>,
    );
    fc.assert(
      fc.property(revision, fc.constantFrom("0.0.1", "0.3.0", "0.4.0", undefined), (rev, version) => {
        expect(conditionOf({ "if-match": etagOf(rev, version) })).toEqual({ match: [rev] });
      }),
    );
  });

  test("any header text is understood or refused, never a crash", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(conditionOf({ "if-match": text })).toBeDefined();
        expect(typeof isFresh(text, '"1"')).toBe("boolean");
      }),
    );
  });
});
