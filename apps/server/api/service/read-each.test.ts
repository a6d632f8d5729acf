import fc from "fast-check";
import { expect, test } from "vitest";
import { groupBySize } from "./read-each.ts";

const MIB = 1024 * 1024;

test("groups keep every document in order, and no group of several is larger than it may be", () => {
  const size = fc.option(fc.oneof(fc.nat(100_000), fc.nat(100 * MIB)), { nil: undefined });
  fc.assert(
    fc.property(fc.array(size, { maxLength: 300 }), (sizes) => {
      const ids = sizes.map((_, at) => at);
      const groups = groupBySize(ids, sizes);
      expect(groups.flat()).toEqual(ids);
      for (const group of groups) {
        const bytes = group.reduce((sum, at) => sum + (sizes[at] ?? MIB), 0);
        expect(group.length === 1 || (bytes <= 8 * MIB && group.length <= 64)).toBe(true);
      }
    }),
  );
});
