import { instantClock, manualClock, sampleVcon, testLink } from "@vcon-server/core/testing";
import { expect, test } from "vitest";
import delay from "./index.ts";

test("waits that long, then goes on with the same vCon", async () => {
  const clock = instantClock();
  const vcon = sampleVcon();
  expect(await testLink(delay, { vcon, clock, options: { seconds: 1.5 } })).toEqual({ kind: "forward", vcon });
  expect(clock.slept).toEqual([1500]);
});

test("five seconds by default, none when told so", async () => {
  const clock = instantClock();
  await testLink(delay, { clock });
  await testLink(delay, { clock, options: { seconds: 0 } });
  expect(clock.slept).toEqual([5000, 0]);
});

test("ends early when its signal aborts", async () => {
  const controller = new AbortController();
  const waiting = testLink(delay, { clock: manualClock(), signal: controller.signal });
  controller.abort(new Error("shutting down"));
  await expect(waiting).rejects.toThrow("shutting down");
});

test.each([{ seconds: -1 }, { seconds: "5" }, { second: 5 }])("the options %o are refused", (options) => {
  expect(delay.options.safeParse(options).success).toBe(false);
});
