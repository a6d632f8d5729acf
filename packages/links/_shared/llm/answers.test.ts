import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Answers, openAnswers } from "./answers.ts";

const never = new AbortController().signal;
const open = (bounds: Partial<Parameters<typeof openAnswers<string>>[0]> = {}): Answers<string> =>
  openAnswers({ entries: 10, bytes: 1_000, ms: 60_000, sizeOf: (value) => value.length, ...bounds });

/** Asks and says whether `make` was called. */
async function ask(answers: Answers<string>, key: string, now = 0, value = `answer to ${key}`) {
  let made = false;
  const got = await answers.get(key, { signal: never, now }, async () => {
    made = true;
    return value;
  });
  return { ...got, made };
}

test("the same question is answered once, another one anew", async () => {
  const answers = open();
  expect(await ask(answers, "a")).toEqual({ value: "answer to a", fresh: true, made: true });
  expect(await ask(answers, "a")).toEqual({ value: "answer to a", fresh: false, made: false });
  expect((await ask(answers, "b")).made).toBe(true);
});

test("an answer is good for its time, counted from when it was asked for", async () => {
  const answers = open({ ms: 1_000 });
  await ask(answers, "a", 5_000);
  expect((await ask(answers, "a", 5_999)).made).toBe(false);
  expect((await ask(answers, "a", 6_000)).made).toBe(true);
});

test("with no time nothing is kept or shared", async () => {
  const answers = open({ ms: 0 });
  const all = await Promise.all([ask(answers, "a"), ask(answers, "a")]);
  expect(all.map(({ made, fresh }) => made && fresh)).toEqual([true, true]);
});

test("what nobody asked for longest goes first, and what is too big is not kept", async () => {
  const answers = open({ entries: 2 });
  for (const key of ["a", "b", "a", "c"]) await ask(answers, key);
  expect((await ask(answers, "a")).made).toBe(false);
  expect((await ask(answers, "b")).made).toBe(true);
  const small = open({ bytes: 10 });
  await ask(small, "big", 0, "x".repeat(11));
  expect((await ask(small, "big")).made).toBe(true);
});

test("never more is kept than the bounds allow, and what is kept is right", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 50 })),
      ),
      async (steps) => {
        let now = 0;
        const answers = open({ entries: 3, bytes: 40, ms: 100 });
        const sizes = new Map<string, number>();
        for (const [name, size, later] of steps) {
          now += later;
          const key = String(name);
          const { value, made } = await ask(answers, key, now, "x".repeat(size));
          if (made) sizes.set(key, size);
          expect(value.length).toBe(sizes.get(key));
        }
        const known: number[] = [];
        for (const key of sizes.keys()) {
          const probe = await answers
            .get(key, { signal: never, now }, () => Promise.reject(new Error("unknown")))
            .catch(() => undefined);
          if (probe) known.push(probe.value.length);
        }
        expect(known.length).toBeLessThanOrEqual(3);
        expect(known.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(40);
      },
    ),
  );
});

describe("several who ask at the same time", () => {
  const flight = () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const signals: AbortSignal[] = [];
    const make = (signal: AbortSignal) => {
      signals.push(signal);
      return promise;
    };
    return { make, resolve, reject, signals };
  };

  test("share one call, and one of them has the fresh answer", async () => {
    const answers = open();
    const { make, resolve, signals } = flight();
    const asking = Array.from({ length: 5 }, () => answers.get("a", { signal: never, now: 0 }, make));
    resolve("once");
    const got = await Promise.all(asking);
    expect(signals).toHaveLength(1);
    expect(got.map(({ value }) => value)).toEqual(Array(5).fill("once"));
    expect(got.filter(({ fresh }) => fresh)).toHaveLength(1);
  });

  test("share its failure, which is not kept", async () => {
    const answers = open();
    const { make, reject } = flight();
    const asking = [1, 2].map(() => answers.get("a", { signal: never, now: 0 }, make));
    reject(new Error("down"));
    for (const one of asking) await expect(one).rejects.toThrow("down");
    expect((await ask(answers, "a")).made).toBe(true);
  });

  test("may leave: the call ends with the last one", async () => {
    const answers = open();
    const { make, resolve, signals } = flight();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = answers.get("a", { signal: one.signal, now: 0 }, make);
    const second = answers.get("a", { signal: two.signal, now: 0 }, make);
    one.abort(new Error("out of time"));
    await expect(first).rejects.toThrow("out of time");
    expect(signals[0]?.aborted).toBe(false);
    two.abort(new Error("shutting down"));
    await expect(second).rejects.toThrow("shutting down");
    expect(signals[0]?.aborted).toBe(true);
    // whoever comes now does not join the call that was given up
    expect((await ask(answers, "a")).made).toBe(true);
    resolve("too late");
  });

  test("get the fresh answer even when the one who began has left", async () => {
    const answers = open();
    const { make, resolve } = flight();
    const one = new AbortController();
    const first = answers.get("a", { signal: one.signal, now: 0 }, make);
    const second = answers.get("a", { signal: never, now: 0 }, make);
    one.abort(new Error("out of time"));
    await expect(first).rejects.toThrow("out of time");
    resolve("paid for");
    expect(await second).toEqual({ value: "paid for", fresh: true });
  });

  test("one whose signal is aborted already does not begin", async () => {
    const { make, signals } = flight();
    await expect(open().get("a", { signal: AbortSignal.abort(new Error("over")), now: 0 }, make)).rejects.toThrow(
      "over",
    );
    expect(signals).toEqual([]);
  });
});
