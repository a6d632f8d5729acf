import { expect, test } from "vitest";
import { createStopWish } from "./stop-signals.ts";

test("signals of one moment are one wish, a later one is a second wish", () => {
  let now = 0;
  const told: boolean[] = [];
  const wish = createStopWish(
    (again) => told.push(again),
    () => now,
  );
  wish();
  now = 20;
  wish();
  now = 999;
  wish();
  expect(told).toEqual([false]);
  now = 2_500;
  wish();
  expect(told).toEqual([false, true]);
});
