import fc from "fast-check";
import { expect, test } from "vitest";
import { isSampled } from "./sampling.ts";

const uuids = Array.from(
  { length: 4_000 },
  (_, number) => `018f0000-0000-7000-8000-${String(number).padStart(12, "0")}`,
);
const share = (rate: number, link = "analyze") =>
  uuids.filter((uuid) => isSampled(rate, { uuid, link })).length / uuids.length;

test("0 is never, 1 is always, and in between it is about the share", () => {
  expect(share(0)).toBe(0);
  expect(share(1)).toBe(1);
  expect(share(0.25)).toBeGreaterThan(0.22);
  expect(share(0.25)).toBeLessThan(0.28);
});

test("the same vCon is decided the same every time, and each step draws for itself", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.double({ min: 0, max: 1, noNaN: true }), (uuid, rate) => {
      expect(isSampled(rate, { uuid, link: "a" })).toBe(isSampled(rate, { uuid, link: "a" }));
    }),
  );
  const both = uuids.filter((uuid) => isSampled(0.5, { uuid, link: "a" }) && isSampled(0.5, { uuid, link: "b" }));
  expect(both.length / uuids.length).toBeLessThan(0.3);
});

test("a larger rate keeps all that a smaller one has", () => {
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (uuid, a, b) => {
        const drawn = { uuid, link: "analyze" };
        if (isSampled(Math.min(a, b), drawn)) expect(isSampled(Math.max(a, b), drawn)).toBe(true);
      },
    ),
  );
});
