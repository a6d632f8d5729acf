import { readVcon, serialize, type Vcon, type VconUuid } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineLink, forward, type StorageHandle } from "../index.ts";
import {
  fakeFetch,
  instantClock,
  manualClock,
  openLink,
  sampleVcon,
  seededRandom,
  stored,
  testLink,
  testStorage,
} from "./index.ts";

/** The smallest storage that shows the behaviour the suite asks for. */
function memoryStorage(): StorageHandle {
  const kept = new Map<VconUuid, Vcon>();
  return {
    async save({ uuid, vcon }, { signal }) {
      signal.throwIfAborted();
      kept.set(uuid, vcon);
    },
    load: async (uuid) => kept.get(uuid),
    delete: async (uuid) => void kept.delete(uuid),
  };
}

testStorage("memory", memoryStorage, { skip: { unreachable: "memory is always there" } });

test("the sample breaks no rule of the draft, and each one has a uuid of its own", () => {
  const result = readVcon(serialize(sampleVcon()), { profile: "strict" });
  expect(result).toMatchObject({ ok: true });
  expect(sampleVcon().uuid).not.toBe(sampleVcon().uuid);
  expect(sampleVcon({ subject: "x" }).subject).toBe("x");
});

test("stored() gives what a storage gets", () => {
  const vcon = sampleVcon();
  expect(stored(vcon, 3)).toMatchObject({ uuid: vcon.uuid, rev: 3, vcon });
  expect(new TextDecoder().decode(stored(vcon).bytes)).toBe(serialize(vcon));
});

test("on an instant clock sleeping takes no time but moves the clock", async () => {
  const clock = instantClock(0);
  await clock.sleep(5);
  await clock.sleep(7);
  expect([clock.now(), ...clock.slept]).toEqual([12, 5, 7]);
  await expect(clock.sleep(1, AbortSignal.abort(new Error("over")))).rejects.toThrow("over");
});

test("on a manual clock sleepers wake in time and not before, or when aborted", async () => {
  const clock = manualClock(100);
  const woken: string[] = [];
  const controller = new AbortController();
  const sleeps = [
    clock.sleep(10).then(() => woken.push("ten")),
    clock.sleep(20).then(() => woken.push("twenty")),
    clock.sleep(30, controller.signal).catch(() => woken.push("aborted")),
  ];
  clock.advance(9);
  await Promise.resolve();
  expect(woken).toEqual([]);
  clock.advance(1);
  await sleeps[0];
  expect(woken).toEqual(["ten"]);
  controller.abort(new Error("over"));
  clock.advance(10);
  await Promise.all(sleeps);
  expect(woken.toSorted()).toEqual(["aborted", "ten", "twenty"]);
  expect(clock.now()).toBe(120);
});

test("seeded numbers repeat and fill [0, 1)", () => {
  const [one, two] = [seededRandom(3), seededRandom(3)];
  const numbers = Array.from({ length: 1000 }, one);
  expect(Array.from({ length: 1000 }, two)).toEqual(numbers);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.min(...numbers)).toBeLessThan(0.01);
  expect(Math.max(...numbers)).toBeLessThan(1);
  expect(Math.max(...numbers)).toBeGreaterThan(0.99);
});

const steps: string[] = [];
const counting = defineLink({
  name: "counting",
  summary: "Counts its runs.",
  options: z.strictObject({ from: z.int().default(1).describe("First number.") }),
  dependencies: { fs: () => import("node:fs") },
  setup: ({ options }) => {
    steps.push("setup");
    return { count: options.from };
  },
  run({ vcon, state, deps, run }) {
    steps.push(`${run.link} ${run.attempt} ${typeof deps.fs.readFileSync} ${state.count++}`);
    return forward(vcon);
  },
  teardown: () => void steps.push("teardown"),
});

test("a link is run as the engine runs it: options parsed, packages loaded, set up and torn down", async () => {
  steps.length = 0;
  const link = await openLink(counting, { options: { from: 5 } });
  await link.run();
  await link.run({ attempt: 2 });
  await link.close();
  expect(steps).toEqual(["setup", "counting 1 function 5", "counting 2 function 6", "teardown"]);
  await expect(testLink(counting, { options: { form: 5 } })).rejects.toThrow(/form/);
});

test("the network is out of reach unless a fetch is given", async () => {
  const calling = defineLink({
    name: "calling",
    summary: "Calls somebody.",
    options: z.strictObject({}),
    async run({ vcon, fetch }) {
      await fetch("https://example.com/x", { method: "PUT", body: "hello" });
      return forward(vcon);
    },
  });
  await expect(testLink(calling)).rejects.toThrow("https://example.com/x");
  const { fetch, requests } = fakeFetch(() => new Response("ok"));
  await testLink(calling, { fetch });
  expect(requests).toMatchObject([{ method: "PUT", url: "https://example.com/x", body: "hello" }]);
});
