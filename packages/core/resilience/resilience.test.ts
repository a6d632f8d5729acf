import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { backoff, sleep, systemClock, withTimeout } from "./index.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const policy = { maxAttempts: 4, initialDelay: 1000, maxDelay: 30_000, multiplier: 2 };

describe("backoff", () => {
  test("grows by the multiplier up to the longest wait", () => {
    const longest = (attempt: number) => backoff(policy, attempt, () => 0.999_999);
    expect([1, 2, 3, 4, 5, 6, 60, 5000].map(longest)).toEqual([999, 1999, 3999, 7999, 15_999, 29_999, 29_999, 29_999]);
  });

  test("is anything between nothing and that", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const wait = backoff(policy, attempt, () => random);
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(30_000);
        },
      ),
    );
  });
});

describe("a time limit", () => {
  const limit = { ms: 100, error: () => new Error("too late") };
  const never = () => new Promise<never>(() => undefined);

  test("gives what the call gives, and leaves no timer behind", async () => {
    expect(await withTimeout(limit, async () => 7)).toBe(7);
    await expect(withTimeout(limit, () => Promise.reject(new Error("own")))).rejects.toThrow("own");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("ends a call that never settles, and tells it", async () => {
    let told: unknown;
    const result = withTimeout(limit, (signal) => {
      signal.addEventListener("abort", () => (told = signal.reason));
      return never();
    });
    const refused = expect(result).rejects.toThrow("too late");
    await vi.advanceTimersByTimeAsync(100);
    await refused;
    expect(told).toEqual(new Error("too late"));
  });

  test("ignores what the call does afterwards", async () => {
    const late = Promise.withResolvers<void>();
    const refused = expect(withTimeout(limit, () => late.promise)).rejects.toThrow("too late");
    await vi.advanceTimersByTimeAsync(100);
    await refused;
    late.reject(new Error("nobody listens"));
    await vi.advanceTimersByTimeAsync(1);
  });

  test("ends with the reason of the caller's signal, also when that came first", async () => {
    const controller = new AbortController();
    const refused = expect(withTimeout({ ...limit, signal: controller.signal }, never)).rejects.toThrow("shutdown");
    controller.abort(new Error("shutdown"));
    await refused;
    await expect(withTimeout({ ...limit, signal: controller.signal }, () => expect.unreachable())).rejects.toThrow(
      "shutdown",
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  test("does not fire at once because it is very long", async () => {
    const done = Promise.withResolvers<string>();
    const result = withTimeout({ ...limit, ms: Number.POSITIVE_INFINITY }, () => done.promise);
    await vi.advanceTimersByTimeAsync(1000);
    done.resolve("still here");
    expect(await result).toBe("still here");
  });
});

describe("sleep", () => {
  test("ends when its time is over", async () => {
    const slept = sleep(50);
    await vi.advanceTimersByTimeAsync(50);
    await slept;
  });

  test("ends with the reason of the signal", async () => {
    const controller = new AbortController();
    const refused = expect(systemClock.sleep(1e12, controller.signal)).rejects.toThrow("enough");
    controller.abort(new Error("enough"));
    await refused;
    await expect(sleep(1, controller.signal)).rejects.toThrow("enough");
    expect(vi.getTimerCount()).toBe(0);
  });
});
