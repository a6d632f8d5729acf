import { expect, test } from "vitest";
import { createBatcher } from "./batcher.ts";

test("what arrives in one turn travels together, and each caller gets its own result", async () => {
  const sent: number[][] = [];
  const batcher = createBatcher(
    async (items: number[]) => {
      sent.push(items);
      return items.map((item) => item * 2);
    },
    { max: 10, parallel: 2 },
  );
  expect(await Promise.all([1, 2, 3].map(batcher.add))).toEqual([2, 4, 6]);
  expect(sent).toEqual([[1, 2, 3]]);
});

test("batches are never larger than allowed, and no more are under way than allowed", async () => {
  let active = 0;
  let most = 0;
  const batcher = createBatcher(
    async (items: number[]) => {
      most = Math.max(most, ++active);
      expect(items.length).toBeLessThanOrEqual(3);
      await new Promise(setImmediate);
      active--;
      return items;
    },
    { max: 3, parallel: 2 },
  );
  await Promise.all(Array.from({ length: 20 }, (_, at) => batcher.add(at)));
  expect(most).toBe(2);
});

test("a batch that fails fails its own callers only, and the next one goes through", async () => {
  let fail = true;
  const batcher = createBatcher(
    async (items: number[]) => {
      if (fail) throw new Error("down");
      return items;
    },
    { max: 10, parallel: 1 },
  );
  await expect(batcher.add(1)).rejects.toThrow("down");
  fail = false;
  expect(await batcher.add(2)).toBe(2);
  await batcher.idle();
});

test("batches of large items are bounded by their bytes; one that is larger alone travels alone", async () => {
  const sent: number[][] = [];
  const MIB = 1024 * 1024;
  const batcher = createBatcher(
    async (items: number[]) => {
      sent.push(items);
      return items;
    },
    { max: 10, parallel: 1, weigh: (mebibytes) => mebibytes * MIB },
  );
  await Promise.all([6, 6, 6, 45, 1, 1].map(batcher.add));
  expect(sent).toEqual([[6, 6], [6], [45], [1, 1]]);
});
