import fc from "fast-check";
import { expect, test } from "vitest";
import { barText, createProgress, durationText } from "./progress.ts";

test("shows share, count, rate and time left", () => {
  const text = barText({ done: 12_345, share: 0.25, seconds: 10, width: 100 });
  expect(text).toMatch(/^\[=+ +\] +25 % {2}12,345 {2}1,235\/s {2}30 s left$/);
});

test("never wider than the screen, whatever the numbers", () => {
  const states = fc.record({
    done: fc.nat(1e12),
    share: fc.option(fc.double({ min: 0, max: 2, noNaN: true }), { nil: undefined }),
    seconds: fc.double({ min: 0, max: 1e7, noNaN: true }),
    width: fc.integer({ min: 10, max: 200 }),
  });
  fc.assert(
    fc.property(states, (state) => barText(state).length < state.width && !/NaN|Infinity/.test(barText(state))),
  );
});

test("durations read like durations", () => {
  expect([0, 59.2, 61, 3600, 7860].map(durationText)).toEqual([
    "0 s",
    "1 min 0 s",
    "1 min 1 s",
    "1 h 0 min",
    "2 h 11 min",
  ]);
});

test("nothing is drawn where nobody looks, and at most ten times a second where somebody does", () => {
  const drawn: string[] = [];
  let now = 0;
  const screen = (isTTY: boolean) => ({ isTTY, columns: 80, write: (text: string) => void drawn.push(text) });
  createProgress({ err: screen(false), now: () => now }).update(1, 0.5);
  expect(drawn).toEqual([]);
  const progress = createProgress({ err: screen(true), now: () => now });
  for (; now < 1000; now += 10) progress.update(now, now / 1000);
  expect(drawn).toHaveLength(10);
});
