import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BreakerState, breaker } from "./breaker.ts";

function clocked(failures = 3, resetMs = 1000) {
  let time = 0;
  const changes: BreakerState[] = [];
  const one = breaker({ failures, resetMs, now: () => time, onChange: (state) => changes.push(state) });
  return { one, changes, pass: (ms: number) => (time += ms) };
}

const fail = (one: { failure(): void }, times: number) => {
  for (let at = 0; at < times; at += 1) one.failure();
};

describe("a breaker", () => {
  test("opens after so many failures in a row", () => {
    const { one } = clocked(3);
    fail(one, 2);
    one.success();
    fail(one, 2);
    expect(one.wait()).toBe(0);
    one.failure();
    expect(one.state).toBe("open");
    expect(one.wait()).toBe(1000);
  });

  test("lets one probe through when its time is over, and closes when that succeeds", () => {
    const { one, changes, pass } = clocked(1);
    one.failure();
    pass(999);
    expect(one.wait()).toBe(1);
    pass(1);
    expect(one.wait()).toBe(0);
    expect(one.wait()).toBeGreaterThan(0);
    one.success();
    expect(one.wait()).toBe(0);
    expect(changes).toEqual(["open", "half-open", "closed"]);
  });

  test("opens again when the probe fails, for as long again", () => {
    const { one, pass } = clocked(3);
    fail(one, 3);
    pass(1000);
    expect(one.wait()).toBe(0);
    one.failure();
    expect(one.state).toBe("open");
    expect(one.wait()).toBe(1000);
  });

  test("lets another probe through when the first never reports", () => {
    const { one, pass } = clocked(1);
    one.failure();
    pass(1000);
    expect(one.wait()).toBe(0);
    pass(1000);
    expect(one.wait()).toBe(0);
  });

  test("does not listen to calls that began before it opened", () => {
    const { one } = clocked(1);
    one.failure();
    one.success();
    expect(one.state).toBe("open");
  });

  test("whatever happens: closed means go, and between two probes lies the reset time", () => {
    const step = fc.oneof(
      fc.constant("wait"),
      fc.constant("success"),
      fc.constant("failure"),
      fc.integer({ min: 1, max: 700 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, failures) => {
        const { one, pass } = clocked(failures, 1000);
        let time = 0;
        let probed = Number.NEGATIVE_INFINITY;
        for (const now of steps) {
          if (typeof now === "number") time += pass(now) && now;
          else if (now === "success") one.success();
          else if (now === "failure") one.failure();
          else {
            const before = one.state;
            const wait = one.wait();
            if (before === "closed") expect(wait).toBe(0);
            else if (wait === 0) {
              expect(one.state).toBe("half-open");
              if (before === "half-open") expect(time - probed).toBeGreaterThanOrEqual(1000);
              probed = time;
            } else expect(wait).toBeLessThanOrEqual(1000);
          }
        }
      }),
    );
  });
});
