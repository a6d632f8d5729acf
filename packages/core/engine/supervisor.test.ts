import { expect, test } from "vitest";
import type { Clock } from "../plugin/link.ts";
import { silent } from "../telemetry/logger.ts";
import { type Child, type ChildExit, createSupervisor, restartDelay } from "./supervisor.ts";

const instantly: Clock = { now: () => 0, sleep: async () => undefined };

/** A child that does what the test says. */
function puppet() {
  const ready = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<ChildExit>();
  const signals: string[] = [];
  const child: Child = {
    pid: 1,
    ready: ready.promise,
    exited: exited.promise,
    kill(signal) {
      signals.push(signal);
      exited.resolve({ code: 0, signal: null });
    },
  };
  return {
    child,
    signals,
    becomeReady: ready.resolve,
    die: (signal: string) => exited.resolve({ code: null, signal }),
  };
}

const settled = () => new Promise(setImmediate);

test("a dead child is replaced, and its death is reported first", async () => {
  const puppets = [puppet(), puppet()];
  const deaths: string[] = [];
  let spawned = 0;
  const supervisor = createSupervisor({
    posts: [
      {
        name: "worker 1",
        spawn: () => puppets[spawned++]!.child,
        onExit: ({ signal }) => deaths.push(`${signal} at ${spawned}`),
      },
    ],
    clock: instantly,
    log: silent,
    grace: 100,
  });
  const started = supervisor.start();
  puppets[0]!.becomeReady();
  await started;
  puppets[0]!.die("SIGKILL");
  await settled();
  expect(spawned).toBe(2);
  expect(deaths).toEqual(["SIGKILL at 1"]);
  await supervisor.stop();
  expect(puppets[1]!.signals).toEqual(["SIGTERM"]);
});

test("a child that ends before it was ever ready fails the start instead of being tried for ever", async () => {
  const first = puppet();
  let spawned = 0;
  const spawn = () => {
    spawned++;
    return first.child;
  };
  const supervisor = createSupervisor({ posts: [{ name: "api", spawn }], clock: instantly, log: silent, grace: 100 });
  const started = supervisor.start();
  first.die("SIGABRT");
  await expect(started).rejects.toThrow("api ended before it was ready (SIGABRT)");
  expect(spawned).toBe(1);
});

test("an on-demand post runs only when woken, once at a time, and is not replaced when it ends", async () => {
  const puppets = [puppet(), puppet()];
  let spawned = 0;
  const supervisor = createSupervisor({
    posts: [{ name: "suspects", onDemand: true, spawn: () => puppets[spawned++]!.child }],
    clock: instantly,
    log: silent,
    grace: 100,
  });
  await supervisor.start();
  expect(spawned).toBe(0);
  supervisor.wake("suspects");
  supervisor.wake("suspects");
  expect(spawned).toBe(1);
  puppets[0]!.die("SIGABRT");
  await settled();
  expect(spawned).toBe(1);
  supervisor.wake("suspects");
  expect(spawned).toBe(2);
  await supervisor.stop();
});

test("restarts wait longer while starts keep failing", () => {
  expect([0, 1, 2, 3, 20].map(restartDelay)).toEqual([0, 100, 200, 400, 5_000]);
});
