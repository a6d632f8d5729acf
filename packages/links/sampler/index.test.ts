import { createHash } from "node:crypto";
import { instantClock, sampleVcon, seededRandom, testLink } from "@vcon-server/core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import sampler, { type Draw, isKept, seededChance } from "./index.ts";

const draw = (given: Partial<Draw>): Draw => ({
  method: "percentage",
  value: 50,
  uuid: "x",
  chance: 0,
  now: 0,
  ...given,
});

/** Share of many draws that is kept. */
function shareOf(given: Partial<Draw>): number {
  const random = seededRandom(7);
  const count = 20_000;
  let kept = 0;
  for (let index = 0; index < count; index++) if (isKept(draw({ ...given, chance: random() }))) kept++;
  return kept / count;
}

test.each([
  [0, 0],
  [25, 0.25],
  [100, 1],
])("percentage %s keeps that share, and its ends exactly", (value, share) => {
  if (share === 0 || share === 1) expect(shareOf({ value })).toBe(share);
  else expect(shareOf({ value })).toBeCloseTo(share, 1.5);
});

test.each([
  [1, 1],
  [5, 0.2],
  [100, 0.01],
])("rate %s keeps one in so many", (value, share) => {
  expect(shareOf({ method: "rate", value })).toBeCloseTo(share, 2);
});

test("modulo keeps by the first eight hex digits of the uuid's SHA-256", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.integer({ min: 1, max: 50 }), (uuid, value) => {
      const number = createHash("sha256").update(uuid).digest().readUInt32BE(0);
      expect(isKept(draw({ method: "modulo", value, uuid }))).toBe(number % value === 0);
    }),
  );
});

test("time_based keeps what is processed in a second that value divides", () => {
  for (const [now, kept] of [
    [60_000, true],
    [60_999, true],
    [61_000, false],
    [-1, false],
  ] as const) {
    expect(isKept(draw({ method: "time_based", value: 10, now })), String(now)).toBe(kept);
  }
});

test("a seed decides the same for the same vCon, whatever chance says, and differently for different ones", async () => {
  const vcons = Array.from({ length: 200 }, () => sampleVcon());
  const decide = (seed: number | null, random: () => number) =>
    Promise.all(
      vcons.map(async (vcon) => (await testLink(sampler, { vcon, random, options: { value: 30, seed } })).kind),
    );
  const first = await decide(1, () => 0);
  expect(await decide(1, () => 0.99)).toEqual(first);
  expect(new Set(first)).toEqual(new Set(["forward", "halt"]));
  expect(await decide(2, () => 0)).not.toEqual(first);
  expect(new Set(await decide(null, () => 0))).toEqual(new Set(["forward"]));
});

test("seeded chances are spread evenly over [0, 1)", () => {
  const uuids = Array.from(
    { length: 4_000 },
    (_, index) => `00000000-0000-8000-8000-${String(index).padStart(12, "0")}`,
  );
  const buckets = Map.groupBy(uuids, (uuid) => Math.floor(seededChance("s", uuid) * 10));
  expect(buckets.size).toBe(10);
  for (const [, bucket] of buckets) expect(bucket.length).toBeGreaterThan(300);
});

test("a vCon outside the sample is halted, one inside goes on untouched", async () => {
  const vcon = sampleVcon();
  const clock = instantClock(1_000);
  const options = { method: "time_based", value: 2 };
  expect(await testLink(sampler, { vcon, clock, options })).toEqual({ kind: "halt", reason: "not in the sample" });
  expect(await testLink(sampler, { vcon, clock: instantClock(2_000), options })).toEqual({ kind: "forward", vcon });
});

test("without options half of the vCons are kept, as in the Python server", () => {
  expect(sampler.options.parse({})).toEqual({ method: "percentage", value: 50, seed: null });
});

test.each([
  { value: 101 },
  { value: -1 },
  { method: "rate", value: 0.1 },
  { method: "modulo", value: 0 },
  { method: "modulo", value: 2.5 },
  { method: "time_based", value: 0 },
  { method: "often" },
  { rate: 0.1 },
])("the options %o are refused", (options) => {
  expect(sampler.options.safeParse(options).success).toBe(false);
});
