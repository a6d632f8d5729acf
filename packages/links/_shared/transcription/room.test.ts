import type { Clock } from "@vcon-server/core";
import { instantClock, manualClock } from "@vcon-server/core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openRoom, type Place } from "./room.ts";

const wait = (signal = new AbortController().signal, clock: Clock = manualClock()) => ({
  doing: "waiting",
  signal,
  clock,
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("there is never more inside than there is room for, nobody is forgotten, and nobody overtakes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 30 }), async (sizes) => {
      const room = openRoom(10, "");
      const entered: number[] = [];
      let [inside, most] = [0, 0];
      const runs = sizes.map(async (size, at) => {
        const place = await room.take(size, wait());
        entered.push(at);
        inside += Math.min(size, 10);
        most = Math.max(most, inside);
        await turn();
        inside -= Math.min(size, 10);
        place.leave();
        place.leave();
      });
      await Promise.all(runs);
      expect(most).toBeLessThanOrEqual(10);
      expect(entered).toEqual(sizes.map((_, at) => at));
    }),
    { numRuns: 50 },
  );
});

test("what is given back early lets the next one in", async () => {
  const room = openRoom(10, "");
  const first = await room.take(10, wait());
  const second = room.take(4, wait());
  first.shrink(7);
  let entered: Place | undefined;
  void second.then((place) => {
    entered = place;
  });
  await turn();
  expect(entered).toBeUndefined();
  first.shrink(6);
  expect(await second).toBeDefined();
});

test("whoever waits over a minute comes back later, without holding up those behind", async () => {
  const [room, clock] = [openRoom(10, "buy more"), manualClock()];
  await room.take(8, wait());
  const large = room.take(9, wait(undefined, clock));
  const small = room.take(2, wait());
  clock.advance(60_000);
  await expect(large).rejects.toMatchObject({
    code: "VCON_SERVICE_QUOTA",
    retryable: true,
    retryAfterSecs: 15,
    message: expect.stringContaining("buy more"),
  });
  expect(await small).toBeDefined();
});

test("a run that ends stops waiting, with its own reason", async () => {
  const [room, controller] = [openRoom(1, ""), new AbortController()];
  await room.take(1, wait());
  const waiting = room.take(1, wait(controller.signal));
  controller.abort(new Error("shutting down"));
  await expect(waiting).rejects.toThrow("shutting down");
  await expect(room.take(1, wait(controller.signal))).rejects.toThrow("shutting down");
});

test("no timer is left behind by those who got in", async () => {
  const [room, clock] = [openRoom(1, ""), instantClock()];
  await room.take(1, wait(undefined, clock));
  expect(clock.slept).toEqual([]);
});
