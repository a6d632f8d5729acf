import { describe, expect, test } from "vitest";
import { mapInOrder } from "./window.ts";

async function* count(to: number, seen: number[] = []): AsyncGenerator<number> {
  for (let item = 0; item < to; item++) {
    seen.push(item);
    yield item;
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("mapInOrder", () => {
  test("keeps the order of the items although later calls end first", async () => {
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    for (const gate of gates.toReversed()) gate.resolve();
    const results: number[] = [];
    for await (const result of mapInOrder(count(5), 3, async (item) => {
      for (let wait = item; wait < 5; wait++) await turn();
      return item * 10;
    })) {
      results.push(result);
    }
    expect(results).toEqual([0, 10, 20, 30, 40]);
  });

  test("a consumer that does not read stops the input after the window", async () => {
    const seen: number[] = [];
    const results = mapInOrder(count(100, seen), 4, async (item) => item);
    await results.next();
    for (let wait = 0; wait < 20; wait++) await turn();
    expect(seen.length).toBeLessThanOrEqual(6);
    await results.return(undefined);
  });

  test("hands a result out while the next item is still awaited", async () => {
    const never = Promise.withResolvers<void>();
    async function* one(): AsyncGenerator<string> {
      yield "first";
      await never.promise;
    }
    const results = mapInOrder(one(), 4, async (item) => item);
    expect(await results.next()).toEqual({ done: false, value: "first" });
    never.resolve();
    expect((await results.next()).done).toBe(true);
  });

  test("results of what arrived come out before the failure of the input", async () => {
    async function* broken(): AsyncGenerator<number> {
      yield 1;
      yield 2;
      throw new Error("cut off");
    }
    const results: number[] = [];
    const all = async () => {
      for await (const result of mapInOrder(broken(), 4, async (item) => item)) results.push(result);
    };
    await expect(all()).rejects.toThrow("cut off");
    expect(results).toEqual([1, 2]);
  });
});
