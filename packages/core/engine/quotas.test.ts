import fc from "fast-check";
import { expect, test } from "vitest";
import { quotas } from "./quotas.ts";

const ALL = { slots: 64, most: 64 };
const load = fc.record({ running: fc.nat(20), hungry: fc.boolean(), limit: fc.integer({ min: 1, max: 100 }) });

test("never more than the free slots, never more than a chain allows", () => {
  fc.assert(
    fc.property(fc.array(load, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 256 }), (lists, slots) => {
      const shares = quotas(lists, { slots, most: slots });
      const running = lists.reduce((sum, list) => sum + list.running, 0);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(Math.max(0, slots - running));
      for (const [at, share] of shares.entries()) {
        expect(share).toBeGreaterThanOrEqual(0);
        const { running: own, limit } = lists[at] as (typeof lists)[number];
        expect(share === 0 || own + share <= limit).toBe(true);
      }
    }),
  );
});

test("a single list may use every slot", () => {
  expect(quotas([{ running: 0, hungry: false, limit: Infinity }], ALL)).toEqual([64]);
});

test("a list with many waiting leaves room for the one that is quiet", () => {
  const busy = { running: 0, hungry: true, limit: Infinity };
  const quiet = { running: 0, hungry: false, limit: Infinity };
  const [first, second] = quotas([busy, quiet], ALL);
  expect(second).toBeGreaterThanOrEqual(1);
  expect(first).toBeGreaterThanOrEqual(48);
  const full = { ...busy, running: first as number };
  expect(quotas([full, quiet], ALL)[1]).toBeGreaterThanOrEqual(1);
});

test("two hungry lists share evenly", () => {
  const hungry = { running: 0, hungry: true, limit: Infinity };
  expect(quotas([hungry, hungry], ALL)).toEqual([32, 32]);
});

test("one claim takes no more than a batch", () => {
  const hungry = { running: 0, hungry: true, limit: Infinity };
  expect(quotas([hungry], { slots: 256, most: 64 })).toEqual([64]);
});
