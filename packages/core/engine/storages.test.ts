import { parseVcon, toBytes, type Vcon, type VconUuid } from "@vcon-server/vcon";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { StoragePlan } from "../config/plan.ts";
import { VconError } from "../errors/index.ts";
import { defineStorage, type StorageHandle, type StoredVcon } from "../plugin/storage.ts";
import { silent } from "../telemetry/logger.ts";
import { openStorages } from "./storages.ts";

const UUID = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";

function stored(uuid = UUID): StoredVcon {
  const vcon = parseVcon(JSON.stringify({ uuid, created_at: "2026-09-14T08:30:00Z", parties: [] }));
  return { uuid: vcon.uuid, rev: 1, bytes: toBytes(vcon), vcon };
}

/** A storage that keeps vCons in a map, unless the test says otherwise. */
function memory(changes: Partial<StorageHandle> = {}) {
  const kept = new Map<VconUuid, Vcon>();
  const handle: StorageHandle = {
    save: async ({ uuid, vcon }) => void kept.set(uuid, vcon),
    load: async (uuid) => kept.get(uuid),
    delete: async (uuid) => void kept.delete(uuid),
    ...changes,
  };
  return {
    kept,
    plugin: defineStorage({ name: "memory", summary: "In memory.", options: z.strictObject({}), open: () => handle }),
  };
}

const plan = (name: string, plugin: StoragePlan["plugin"], changes: Partial<StoragePlan> = {}): StoragePlan => ({
  name,
  plugin,
  options: {},
  timeout: 1_000,
  retries: { maxAttempts: 4, initialDelay: 1, maxDelay: 10, multiplier: 2 },
  breaker: { failures: 3, reset: 60_000 },
  read: true,
  giveUpAfter: 60_000,
  ...changes,
});

const down = () => Promise.reject(new VconError("VCON_STORAGE_DOWN", "connection refused"));

test("opening them ahead opens each once; one that cannot be opened yet is tried again when it is used", async () => {
  const opened: string[] = [];
  let ready = false;
  const opening = (name: string) =>
    defineStorage({
      name,
      summary: "Counts.",
      options: z.strictObject({}),
      open() {
        opened.push(name);
        if (name === "late" && !ready) throw new Error("not yet");
        return { save: async () => undefined };
      },
    });
  const storages = openStorages([plan("late", opening("late")), plan("good", opening("good"))], silent);
  await storages.open();
  ready = true;
  await storages.save("good", stored());
  await storages.save("late", stored());
  expect(opened).toEqual(["late", "good", "late"]);
  await storages.close();
});

describe("saving", () => {
  test("reaches the storage it names, and a failing one says why in code", async () => {
    const good = memory();
    const bad = memory({ save: () => Promise.reject(new Error("disk on fire")) });
    const storages = openStorages([plan("good", good.plugin), plan("bad", bad.plugin)], silent);
    const doc = stored();
    await storages.save("good", doc);
    expect(good.kept.get(doc.uuid)).toEqual(doc.vcon);
    await expect(storages.save("bad", doc)).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN", retryable: true });
    await storages.close();
  });

  test("gives up after the storage's own time limit, and the storage's signal aborts", async () => {
    let signal: AbortSignal | undefined;
    const hanging = memory({
      save: (_, call) => {
        signal = call.signal;
        return new Promise(() => undefined);
      },
    });
    const storages = openStorages([plan("hanging", hanging.plugin, { timeout: 20 })], silent);
    await expect(storages.save("hanging", stored())).rejects.toMatchObject({ code: "VCON_STORAGE_TIMEOUT" });
    expect(signal?.aborted).toBe(true);
  });

  test("leaves a storage alone that failed repeatedly, and says for how long", async () => {
    let calls = 0;
    const failing = memory({
      save: () => {
        calls++;
        return down();
      },
    });
    const storages = openStorages([plan("failing", failing.plugin)], silent);
    for (let at = 0; at < 3; at++)
      await expect(storages.save("failing", stored())).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN" });
    const refused = storages.save("failing", stored());
    await expect(refused).rejects.toMatchObject({ code: "VCON_STORAGE_BREAKER", retryable: true });
    await expect(refused).rejects.toSatisfy((error: VconError) => (error.retryAfterSecs ?? 0) > 0);
    await expect(refused).rejects.toThrow(/left alone; the last failure: connection refused$/);
    expect(calls).toBe(3);
  });

  test("tells of an outage when it begins and when it is over, and of nothing in between", async () => {
    const lines: string[] = [];
    const note = (message: string) => void lines.push(message);
    let broken = true;
    const failing = memory({ save: () => (broken ? down() : Promise.resolve()) });
    const breaker = { failures: 1, reset: 5 };
    const storages = openStorages([plan("failing", failing.plugin, { breaker })], {
      ...silent,
      warn: note,
      info: note,
    });
    const save = () => storages.save("failing", stored()).catch((error: VconError) => error.code);
    const probes = async (wanted: string | undefined) => expect.poll(save, { interval: 6 }).toBe(wanted);
    for (let at = 0; at < 3; at++) await probes("VCON_STORAGE_DOWN");
    broken = false;
    for (let at = 0; at < 3; at++) await probes(undefined);
    expect(lines.map((line) => line.split(";")[0])).toEqual([
      "storage fails repeatedly and is left alone",
      "storage works again",
    ]);
  });

  test("a refused document says nothing about the storage's health", async () => {
    const picky = memory({ save: () => Promise.reject(new VconError("VCON_STORAGE_REFUSED", "too large")) });
    const storages = openStorages([plan("picky", picky.plugin)], silent);
    for (let at = 0; at < 5; at++)
      await expect(storages.save("picky", stored())).rejects.toMatchObject({ code: "VCON_STORAGE_REFUSED" });
  });

  test("sends batches to a storage that takes them; one bad document does not fail its neighbours", async () => {
    const sizes: number[] = [];
    const bad = "01a088b7-7e9e-8501-9c23-b79d96f1a1bb";
    const refuse = () => Promise.reject(new VconError("VCON_STORAGE_REFUSED", "not this one"));
    const batching = memory({
      saveMany: async (docs) => {
        sizes.push(docs.length);
        if (docs.some(({ uuid }) => uuid === bad)) await refuse();
      },
      save: ({ uuid }) => (uuid === bad ? refuse() : Promise.resolve()),
    });
    const storages = openStorages([plan("batching", batching.plugin)], silent);
    const uuids = Array.from({ length: 9 }, (_, at) => `01a088b7-7e9e-8501-9c23-b79d96f1a1a${at}`);
    const results = await Promise.allSettled([...uuids, bad].map((uuid) => storages.save("batching", stored(uuid))));
    expect(results.map(({ status }) => status)).toEqual([...uuids.map(() => "fulfilled"), "rejected"]);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
  });

  test("to a storage that is no longer configured waits instead of being lost", async () => {
    await expect(openStorages([], silent).save("gone", stored())).rejects.toMatchObject({ retryable: true });
  });
});

describe("loading", () => {
  test("asks readable storages in order; write-only ones are passed over", async () => {
    const writeOnly = memory();
    const first = memory();
    const second = memory();
    const storages = openStorages(
      [
        plan("write-only", writeOnly.plugin, { read: false }),
        plan("first", first.plugin),
        plan("second", second.plugin),
      ],
      silent,
    );
    const doc = stored();
    await storages.save("write-only", doc);
    expect(await storages.load(doc.uuid)).toBeUndefined();
    await storages.save("second", doc);
    expect(await storages.load(doc.uuid)).toEqual(doc.vcon);
  });

  test("an outage never looks like absence", async () => {
    const failing = memory({ load: down });
    const empty = memory();
    const storages = openStorages([plan("failing", failing.plugin), plan("empty", empty.plugin)], silent);
    await expect(storages.load(stored().uuid)).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN" });
  });
});

test("a storage that cannot delete says so", async () => {
  const { delete: _, ...handle } = { save: async () => undefined, delete: undefined };
  const keeping = defineStorage({
    name: "keeping",
    summary: "Keeps.",
    options: z.strictObject({}),
    open: () => handle,
  });
  const storages = openStorages([plan("keeping", keeping)], silent);
  await expect(storages.remove("keeping", stored().uuid)).rejects.toMatchObject({ code: "VCON_STORAGE_REFUSED" });
});
