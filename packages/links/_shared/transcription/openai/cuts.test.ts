import fc from "fast-check";
import { expect, test } from "vitest";
import { cutsFor, piecesOf } from "./cuts.ts";

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const recording = fc
  .tuple(number(0, 20_000), number(10, 900), fc.array(fc.tuple(number(0, 20_000), number(0, 30)), { maxLength: 50 }))
  .map(([seconds, every, pauses]) => ({
    seconds,
    every,
    silences: pauses.map(([start, length]) => ({ start, end: start + length })),
  }));

test("the pieces are the recording: in order, without a gap, none too long, none too short to be worth it", () => {
  fc.assert(
    fc.property(recording, ({ seconds, every, silences }) => {
      const pieces = piecesOf(cutsFor(seconds, every, silences), seconds);
      expect(pieces[0]?.start).toBe(0);
      expect(pieces.at(-1)?.end).toBe(seconds);
      for (const [at, { start, end }] of pieces.entries()) {
        if (at > 0) expect(start).toBe(pieces[at - 1]?.end);
        expect(end - start).toBeLessThanOrEqual(every * 1.5 + 1.001);
        if (pieces.length > 1) expect(end - start).toBeGreaterThanOrEqual(Math.min(1, every / 2) - 0.001);
      }
    }),
    { numRuns: 200 },
  );
});

test("every cut is at its wanted place, or in the middle of a silence near it", () => {
  fc.assert(
    fc.property(recording, ({ seconds, every, silences }) => {
      const middles = new Set(silences.map(({ start, end }) => (start + end) / 2));
      for (const [at, cut] of cutsFor(seconds, every, silences).entries()) {
        const isWanted = Math.abs(cut / every - Math.round(cut / every)) < 1e-6;
        expect(isWanted || middles.has(cut)).toBe(true);
        expect(cut).toBeGreaterThan(at * every);
      }
    }),
    { numRuns: 200 },
  );
});

test.each([
  [100, 480, [], []],
  [480, 480, [], []],
  [480.9, 480, [], []],
  [1000, 480, [], [480, 960]],
  [1000, 480, [[470, 474]], [472, 960]],
  [
    1000,
    480,
    [
      [470, 474],
      [481, 483],
    ],
    [482, 960],
  ],
  [1000, 480, [[300, 302]], [480, 960]],
  [1000, 480, [[990, 1000]], [480, 995]],
] as const)("%d s cut every %d s with silences %j: %j", (seconds, every, silences, cuts) => {
  expect(
    cutsFor(
      seconds,
      every,
      silences.map(([start, end]) => ({ start, end })),
    ),
  ).toEqual(cuts);
});
