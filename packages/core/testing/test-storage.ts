import { type Json, parseVcon, serialize, type Vcon, type VconUuid } from "@vcon-server/vcon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import type { Call, StorageHandle } from "../plugin/storage.ts";
import { seededRandom } from "./clocks.ts";
import { oddVcon } from "./odd-vcon.ts";
import { sampleVcon, stored } from "./samples.ts";

export interface StorageSuite {
  /** For storages without `load`: looks into the service by another way. */
  readonly look?: (uuid: VconUuid) => Promise<Vcon | undefined>;
  /** Opens the same storage against a service that does not answer. */
  readonly unreachable?: () => StorageHandle | Promise<StorageHandle>;
  /** Why parts of the suite do not apply; each with its reason, which is shown. */
  readonly skip?: Partial<Readonly<Record<"delete" | "unreachable" | "absent", string>>>;
}

/** Numbers that no double holds, an own member called `__proto__`, and members nobody knows. */
const UNUSUAL = `"x_large":12345678901234567890,"x_precise":0.12345678901234567891,"x_ext":{"a":[1,null,{"__proto__":{"b":"ä\\u2028🎉"}}]}`;

const call = (signal: AbortSignal = new AbortController().signal): Call => ({ signal });

/** The behaviour every storage must show. Call it at the top level of a test file. */
export function testStorage(
  name: string,
  open: () => StorageHandle | Promise<StorageHandle>,
  suite: StorageSuite = {},
): void {
  describe(`storage ${name}`, () => {
    let storage: StorageHandle;
    beforeAll(async () => {
      storage = await open();
    });
    afterAll(async () => {
      await storage.close?.();
    });
    const subject = { storage: () => storage, load: (uuid: VconUuid) => loadFrom(storage, suite, uuid) };
    testSaving(subject);
    testMany(subject);
    testSignals(subject);
    testDeleting(subject, suite);
    testAbsence(subject, suite);
    testOutage(suite);
  });
}

interface Subject {
  storage(): StorageHandle;
  load(uuid: VconUuid): Promise<Vcon | undefined>;
}

async function loadFrom(storage: StorageHandle, { look }: StorageSuite, uuid: VconUuid): Promise<Vcon | undefined> {
  if (look) return look(uuid);
  if (storage.load) return storage.load(uuid, call());
  throw new Error("the storage cannot load: pass `look` to testStorage");
}

function testSaving({ storage, load }: Subject): void {
  test("keeps what was saved, unknown members and large numbers included", async () => {
    const plain = sampleVcon({ subject: 'quotes " and \\ and ü' });
    const vcon = parseVcon(`{${UNUSUAL},${serialize(plain).slice(1)}`);
    await storage().save(stored(vcon), call());
    const found = await load(vcon.uuid);
    expect(found && canonical(found)).toBe(canonical(vcon));
  });

  test("keeps a vCon that carries nothing but its uuid", async () => {
    const { uuid } = sampleVcon();
    await storage().save(stored({ uuid }), call());
    expect(await load(uuid)).toEqual({ uuid });
  });

  test("keeps vCons whose indices lead nowhere and whose describing members are of any type", async () => {
    const random = seededRandom();
    for (let count = 0; count < 25; count++) {
      const vcon = oddVcon(random);
      await storage().save(stored(vcon), call());
      const found = await load(vcon.uuid);
      expect(found && canonical(found)).toBe(canonical(vcon));
    }
  });

  test("keeps a vCon of a megabyte", async () => {
    const vcon = sampleVcon({ dialog: [{ type: "recording", body: "QUJD".repeat(2 ** 18), encoding: "base64url" }] });
    await storage().save(stored(vcon), call());
    expect(await load(vcon.uuid)).toEqual(vcon);
  });

  test("saving again replaces, members that are gone included", async () => {
    const vcon = sampleVcon({ subject: "second" });
    await storage().save(stored({ ...vcon, subject: "first", x_gone: true }), call());
    await storage().save(stored(vcon, 2), call());
    await storage().save(stored(vcon, 2), call());
    expect(await load(vcon.uuid)).toEqual(vcon);
  });

  test("a changed created_at replaces as well", async () => {
    const vcon = sampleVcon({ created_at: "2026-01-02T03:04:05Z" });
    await storage().save(stored(vcon), call());
    const moved = { ...vcon, created_at: "2026-02-03T04:05:06Z" };
    await storage().save(stored(moved, 2), call());
    expect(await load(vcon.uuid)).toEqual(moved);
  });
}

function testMany({ storage, load }: Subject): void {
  test("fifty at a time do not get mixed up", async () => {
    const vcons = Array.from({ length: 50 }, (_, index) => sampleVcon({ subject: `vCon ${index}` }));
    await Promise.all(vcons.map((vcon) => storage().save(stored(vcon), call())));
    expect(await Promise.all(vcons.map(({ uuid }) => load(uuid)))).toEqual(vcons);
  });

  test("a batch is kept as a whole, if the storage takes batches", async ({ skip }) => {
    const handle = storage();
    if (!handle.saveMany) return skip("this storage takes one vCon at a time");
    const vcons = Array.from({ length: 20 }, (_, index) => sampleVcon({ subject: `in a batch ${index}` }));
    await handle.saveMany(
      vcons.map((vcon) => stored(vcon)),
      call(),
    );
    const [first] = vcons;
    await handle.saveMany([stored({ ...first!, subject: "replaced" }, 2)], call());
    const found = await Promise.all(vcons.map(({ uuid }) => load(uuid)));
    expect(found.map((vcon) => vcon?.subject)).toEqual(["replaced", ...vcons.slice(1).map(({ subject }) => subject)]);
  });
}

function testSignals({ storage, load }: Subject): void {
  test("a call whose time is already over is rejected and saves nothing", async () => {
    const vcon = sampleVcon();
    const over = call(AbortSignal.abort(new Error("out of time")));
    await expect(storage().save(stored(vcon), over)).rejects.toThrow();
    expect(await load(vcon.uuid)).toBeUndefined();
  });

  test("a call that is aborted while it runs settles, and the storage goes on working", async () => {
    const controller = new AbortController();
    const running = storage().save(stored(sampleVcon()), call(controller.signal));
    controller.abort(new Error("out of time"));
    await Promise.allSettled([running]);
    const vcon = sampleVcon();
    await storage().save(stored(vcon), call());
    expect(await load(vcon.uuid)).toEqual(vcon);
  });

  test("check() of a working storage succeeds", async () => {
    await expect(Promise.resolve(storage().check?.(call()))).resolves.toBeUndefined();
  });
}

function testDeleting({ storage, load }: Subject, { skip: reasons }: StorageSuite): void {
  test("deleting removes, and deleting again succeeds", async ({ skip }) => {
    const handle = storage();
    if (reasons?.delete) return skip(reasons.delete);
    if (!handle.delete) throw new Error("the storage cannot delete: give the reason as skip.delete");
    const vcon = sampleVcon();
    await handle.save(stored(vcon), call());
    await handle.delete(vcon.uuid, call());
    await handle.delete(vcon.uuid, call());
    expect(await load(vcon.uuid)).toBeUndefined();
    await handle.save(stored(vcon), call());
    expect(await load(vcon.uuid)).toEqual(vcon);
  });
}

function testAbsence({ load }: Subject, { skip: reasons }: StorageSuite): void {
  test("what was never saved is undefined", async ({ skip }) => {
    if (reasons?.absent) return skip(reasons.absent);
    expect(await load(sampleVcon().uuid)).toBeUndefined();
  });
}

function testOutage({ unreachable, skip: reasons }: StorageSuite): void {
  test("an outage is a coded error that can be retried, never absence", async ({ skip }) => {
    if (reasons?.unreachable) return skip(reasons.unreachable);
    if (!unreachable) throw new Error("pass `unreachable`, or the reason why it does not apply as skip.unreachable");
    const storage = await unreachable();
    const vcon = sampleVcon();
    const calls = [
      storage.save(stored(vcon), call()),
      storage.saveMany?.([stored(vcon), stored(sampleVcon())], call()),
      storage.load?.(vcon.uuid, call()),
      storage.delete?.(vcon.uuid, call()),
      storage.check?.(call()),
    ].filter((running) => running !== undefined);
    const results = await Promise.allSettled<unknown>(calls);
    await storage.close?.();
    for (const result of results) {
      const error: unknown = result.status === "rejected" ? result.reason : "resolved";
      expect(error).toBeInstanceOf(VconError);
      expect(error instanceof VconError && error.retryable, String(error)).toBe(true);
    }
  });
}

/** JSON with members in one order: storages may keep members in another. Raw numbers as written. */
function canonical(vcon: Vcon): string {
  const sorted = (value: Json): string => {
    if (typeof value !== "object" || value === null || Object.hasOwn(value, "rawJSON")) return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
    const members = Object.entries(value).map(([member, inner]) => `${JSON.stringify(member)}:${sorted(inner)}`);
    return `{${members.toSorted().join()}}`;
  };
  return sorted(JSON.parse(JSON.stringify(vcon), rawNumber));
}

/** Reads every number as its text, so that comparing does not round. */
function rawNumber(_name: string, value: Json, context?: { readonly source?: string }): Json {
  return typeof value === "number" && context?.source !== undefined ? `number ${context.source}` : value;
}
