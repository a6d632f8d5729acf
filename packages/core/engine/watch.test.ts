import { expect, test } from "vitest";
import { createWatch, stalledBy } from "./watch.ts";

test("a loop that still turns after a link's deadline is left to its timers", () => {
  let now = 1_000;
  const watch = createWatch(() => now);
  watch.begin("calls/slow", 900);
  now = 2_000;
  expect(stalledBy(watch.memory, 899, 0)).toBeUndefined();
  // the loop last turned at 1,000, after the deadline: it is alive
  expect(stalledBy(watch.memory, 2_000, 0)).toBeUndefined();
  watch.stop();
});

test("a loop that has not turned since before a link's deadline is blocked by it", () => {
  const watch = createWatch(() => 1_000);
  const end = watch.begin("calls/endless on 01a0", 5_000);
  expect(stalledBy(watch.memory, 5_050, 100)).toBeUndefined();
  expect(stalledBy(watch.memory, 5_150, 100)).toBe("calls/endless on 01a0");
  end();
  watch.stop();
});

test("the earliest deadline counts", () => {
  const watch = createWatch(() => 1_000);
  watch.begin("late", 9_000);
  watch.begin("early", 2_000);
  watch.begin("later", 5_000);
  expect(stalledBy(watch.memory, 3_000, 0)).toBe("early");
  watch.stop();
});
