import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { type StorageHandle, VconError } from "@vcon-server/core";
import { openStorage, sampleVcon, stored, testStorage } from "@vcon-server/core/testing";
import { parseVcon, serialize, toUuid, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { dayOf } from "../_shared/day.ts";
import file, { rightsOf } from "./index.ts";
import { isPlace, uuidOfFile } from "./layout.ts";

const made: string[] = [];
const folder = async () => {
  const path = await mkdtemp(join(tmpdir(), "vcs-file-"));
  made.push(path);
  return path;
};
afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true, force: true }))));

const open = async (options: Record<string, unknown>): Promise<StorageHandle> => openStorage(file, options);
const call = { signal: new AbortController().signal };

/** Files of an archive that are not the index's. */
async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));
  return files.filter((name) => !name.startsWith(".index/")).toSorted();
}

/** A path that cannot be a folder, because a part of it is a file. */
async function blocked(): Promise<string> {
  const path = join(await folder(), "file");
  await writeFile(path, "");
  return join(path, "archive");
}

testStorage("file", async () => open({ path: await folder() }), {
  unreachable: async () => open({ path: await blocked() }),
});
testStorage(
  "file, compressed and flat",
  async () => open({ path: await folder(), compression: true, organize_by_date: false }),
  {
    unreachable: async () => open({ path: await blocked() }),
  },
);

test("the layout is that of the Python server: a folder a day, or flat without a date", async () => {
  const path = await folder();
  const storage = await open({ path });
  const [dated, offset, undated] = [
    sampleVcon(),
    sampleVcon({ created_at: "2025-12-31T23:30:00-05:00" }),
    sampleVcon({ created_at: "soon" }),
  ];
  for (const vcon of [dated, offset, undated]) await storage.save(stored(vcon), call);
  expect(await filesIn(path)).toEqual(
    [`2025/12/31/${offset.uuid}.json`, `2026/01/02/${dated.uuid}.json`, `${undated.uuid}.json`].toSorted(),
  );
  expect(parseVcon(await readFile(join(path, `2026/01/02/${dated.uuid}.json`), "utf8"))).toEqual(dated);
});

test("compressed files hold the same JSON", async () => {
  const path = await folder();
  const storage = await open({ path, compression: true });
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  const bytes = await readFile(join(path, `2026/01/02/${vcon.uuid}.json.gz`));
  expect(gunzipSync(bytes).toString()).toBe(serialize(vcon));
});

test("a changed created_at or compression leaves no second copy and no empty folder", async () => {
  const path = await folder();
  const vcon = sampleVcon();
  await (await open({ path })).save(stored(vcon), call);
  const moved = { ...vcon, created_at: "2026-03-04T00:00:00Z" };
  await (await open({ path, compression: true })).save(stored(moved), call);
  expect(await filesIn(path)).toEqual([`2026/03/04/${vcon.uuid}.json.gz`]);
  expect(await readdir(join(path, "2026"))).toEqual(["03"]);
  await (await open({ path })).delete?.(vcon.uuid, call);
  expect(await filesIn(path)).toEqual([]);
  expect(await readdir(path)).toEqual([".index"]);
});

test("whatever is saved, moved and deleted, by handles that differ in layout, there is one file a vCon and it is the last", async () => {
  const uuids = [sampleVcon().uuid, sampleVcon().uuid];
  const step = fc.record({
    handle: fc.nat(2),
    uuid: fc.constantFrom(...uuids),
    day: fc.option(fc.constantFrom("2026-01-02", "2026-01-03", "2025-12-31"), { nil: undefined }),
    deletes: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const path = await folder();
      const layouts = [{}, { compression: true }, { organize_by_date: false }];
      const handles = await Promise.all(layouts.map((layout) => open({ path, ...layout })));
      const model = new Map<string, Vcon>();
      for (const [index, { handle, uuid, day, deletes }] of steps.entries()) {
        const vcon: Vcon = {
          uuid,
          ...(day !== undefined && { created_at: `${day}T00:00:00Z` }),
          subject: `step ${index}`,
        };
        await (deletes ? handles[handle]?.delete?.(uuid, call) : handles[handle]?.save(stored(vcon), call));
        if (deletes) model.delete(uuid);
        else model.set(uuid, vcon);
        for (const reader of handles)
          for (const each of uuids) expect(await reader.load?.(each, call)).toEqual(model.get(each));
      }
      expect(await filesIn(path)).toHaveLength(model.size);
      await Promise.all(handles.map((one) => one.close?.()));
    }),
    { numRuns: 15 },
  );
});

test("an archive without an index is read at once, indexed by itself, and grows no second copies", async () => {
  const path = await folder();
  const [plain, packed, flat, twice] = [sampleVcon(), sampleVcon(), sampleVcon(), sampleVcon({ subject: "newer" })];
  const put = async (place: string, vcon: Vcon) => {
    await mkdir(dirname(join(path, place)), { recursive: true });
    await writeFile(join(path, place), place.endsWith(".gz") ? gzipSync(serialize(vcon)) : serialize(vcon));
  };
  await put(`2024/05/06/${plain.uuid}.json`, plain);
  await put(`2024/05/07/${packed.uuid}.json.gz`, packed);
  await put(`${flat.uuid}.json`, flat);
  await put(`2024/05/08/${twice.uuid}.json`, { ...twice, subject: "older" });
  await put(`2023/05/08/${twice.uuid}.json`, twice);
  await utimes(join(path, `2024/05/08/${twice.uuid}.json`), 1_700_000_000, 1_700_000_000);
  await put("notes/readme.json", plain);

  const storage = await open({ path });
  expect(await Promise.all([plain, packed, flat, twice].map(({ uuid }) => storage.load?.(uuid, call)))).toEqual([
    plain,
    packed,
    flat,
    twice,
  ]);
  for (const vcon of [plain, packed, flat, twice]) await storage.save(stored(vcon, 2), call);
  await storage.close?.();
  const later = await open({ path });
  await later.close?.();
  expect(await filesIn(path)).toEqual(
    [...[plain, packed, flat, twice].map(({ uuid }) => `2026/01/02/${uuid}.json`), "notes/readme.json"].toSorted(),
  );
});

test("the index of an old archive is completed in the background, then absence is known without looking", async () => {
  const path = await folder();
  const vcon = sampleVcon();
  await mkdir(join(path, "2024/05/06"), { recursive: true });
  await writeFile(join(path, `2024/05/06/${vcon.uuid}.json`), serialize(vcon));
  const storage = await open({ path });
  await expect.poll(() => readFile(join(path, ".index/complete"), "utf8").catch(() => "")).not.toBe("");
  // what no pointer names is absent now, even if somebody puts it there by hand
  const smuggled = sampleVcon();
  await writeFile(join(path, `2024/05/06/${smuggled.uuid}.json`), serialize(smuggled));
  expect(await storage.load?.(smuggled.uuid, call)).toBeUndefined();
  expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
});

test("reading an empty folder leaves it empty: it may be a disk that is not mounted yet", async () => {
  const path = await folder();
  const storage = await open({ path });
  const vcon = sampleVcon();
  expect(await storage.load?.(vcon.uuid, call)).toBeUndefined();
  expect(await readdir(path)).toEqual([]);
  await mkdir(join(path, "2024/05/06"), { recursive: true });
  await writeFile(join(path, `2024/05/06/${vcon.uuid}.json`), serialize(vcon));
  expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
});

test("a pointer that a power cut emptied is no absence", async () => {
  const path = await folder();
  const storage = await open({ path });
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  const pointers = (await readdir(join(path, ".index"), { recursive: true })).filter((name) =>
    name.endsWith(vcon.uuid),
  );
  expect(pointers).toHaveLength(1);
  await writeFile(join(path, ".index", pointers[0]!), "");
  expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  await storage.delete?.(vcon.uuid, call);
  expect(await filesIn(path)).toEqual([]);
});

test("a file that was moved by hand is found, and deleted", async () => {
  const path = await folder();
  const storage = await open({ path });
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  await mkdir(join(path, "2020/01/01"), { recursive: true });
  await rename(join(path, `2026/01/02/${vcon.uuid}.json`), join(path, `2020/01/01/${vcon.uuid}.json`));
  expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
  await storage.delete?.(vcon.uuid, call);
  expect(await filesIn(path)).toEqual([]);
});

test("a pointer leads nowhere but into the archive", async () => {
  const path = await folder();
  const storage = await open({ path });
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  const [pointer] = (await readdir(join(path, ".index"), { recursive: true })).filter((name) =>
    name.endsWith(vcon.uuid),
  );
  await writeFile(join(path, ".index", pointer!), `../../../../etc/${vcon.uuid}.json\n`);
  expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
});

test("what is no uuid is refused before a path is made of it", async () => {
  const storage = await open({ path: await folder() });
  for (const text of ["../x", "*", "", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"]) {
    // the cast stands for a caller without types
    await expect(storage.load?.(text as Vcon["uuid"], call)).rejects.toMatchObject({ code: "VCON_STORAGE_REFUSED" });
  }
});

test("access rights are those asked for, and folders that were there before keep theirs", async () => {
  const parent = await folder();
  await chmod(parent, 0o700);
  const path = join(parent, "a/b");
  const storage = await open({ path, file_permissions: "0o640", dir_permissions: "0750" });
  const vcon = sampleVcon();
  await storage.save(stored(vcon), call);
  const mode = async (place: string) => (await stat(join(parent, place))).mode & 0o7777;
  expect(await mode(`a/b/2026/01/02/${vcon.uuid}.json`)).toBe(0o640);
  for (const place of ["a", "a/b", "a/b/2026", "a/b/2026/01/02"]) expect(await mode(place), place).toBe(0o750);
  expect(await mode(".")).toBe(0o700);
});

test("a vCon over the limit is refused, and that is not to be retried", async () => {
  const storage = await open({ path: await folder(), max_file_size: 100 });
  const error = await storage.save(stored(sampleVcon()), call).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(VconError);
  expect(error).toMatchObject({ code: "VCON_STORAGE_REFUSED", retryable: false });
});

test("a full disk is an outage that leaves no part of a file, and ends by itself when there is room", async ({
  skip,
  onTestFinished,
}) => {
  if (process.getuid?.() !== 0 || process.platform !== "linux")
    return skip("only root on Linux can mount a small disk");
  const path = await folder();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", path]);
  onTestFinished(() => void execFileSync("umount", ["-l", path]));
  const storage = await open({ path });
  const [small, large] = [sampleVcon(), sampleVcon({ subject: "x".repeat(150_000) })];
  await storage.save(stored(small), call);
  await writeFile(join(path, "ballast"), Buffer.alloc(180_000));
  const error = await storage.save(stored(large), call).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "VCON_STORAGE_DOWN", retryable: true, details: { code: "ENOSPC" } });
  expect(await filesIn(path)).toEqual([`2026/01/02/${small.uuid}.json`, "ballast"]);
  expect(await storage.load?.(small.uuid, call)).toEqual(small);
  expect(await storage.load?.(large.uuid, call)).toBeUndefined();
  await rm(join(path, "ballast"));
  await storage.save(stored(large), call);
  expect(await storage.load?.(large.uuid, call)).toEqual(large);
});

test("a file that holds no vCon is damage, not absence", async () => {
  const path = await folder();
  const storage = await open({ path });
  const [cut, packed] = [sampleVcon(), sampleVcon()];
  await storage.save(stored(cut), call);
  await (await open({ path, compression: true })).save(stored(packed), call);
  await writeFile(join(path, `2026/01/02/${cut.uuid}.json`), serialize(cut).slice(0, 50));
  await writeFile(join(path, `2026/01/02/${packed.uuid}.json.gz`), gzipSync(serialize(packed)).subarray(0, 60));
  await expect(storage.load?.(cut.uuid, call)).rejects.toMatchObject({ code: "VCON_STORAGE_DAMAGED" });
  await expect(storage.load?.(packed.uuid, call)).rejects.toMatchObject({ code: "VCON_STORAGE_DAMAGED" });
});

test("an aborted save leaves the old content and no temporary file", async () => {
  const path = await folder();
  const storage = await open({ path });
  const vcon = sampleVcon({ subject: "old" });
  await storage.save(stored(vcon), call);
  for (let delay = 0; delay < 20; delay++) {
    const controller = new AbortController();
    const saving = storage.save(stored({ ...vcon, subject: "x".repeat(100_000) }), { signal: controller.signal });
    for (let turn = 0; turn < delay; turn++) await Promise.resolve();
    controller.abort(new Error("out of time"));
    await Promise.allSettled([saving]);
  }
  expect(await filesIn(path)).toEqual([`2026/01/02/${vcon.uuid}.json`]);
  expect((await storage.load?.(vcon.uuid, call))?.subject).toMatch(/^(old|x{100000})$/);
});

test.each([
  ["0o644", 0o644],
  ["0644", 0o644],
  ["644", 0o644],
  [420, 0o644],
  [644, 0o644],
  [0o755, 0o755],
  [600, 0o600],
  [0o600, 0o600],
])("access rights %o are read as people mean them", (written, expected) => {
  expect(rightsOf(written)).toBe(expected);
});

test.each(["", "0o999", "rw-r--r--", "01777", 440, 444, 1777, -1, 888])("access rights %o are refused", (written) => {
  expect(rightsOf(written)).toBeUndefined();
  expect(file.options.safeParse({ file_permissions: written }).error?.issues[0]?.message).toContain("in quotes");
});

test.each([
  ["2026-01-02T03:04:05Z", "2026/01/02"],
  ["2024-02-29", "2024/02/29"],
  ["2023-02-29T00:00:00Z", undefined],
  ["2026-13-01T00:00:00Z", undefined],
  ["2026-1-2", undefined],
  [1_767_323_045, undefined],
  [undefined, undefined],
])("the day of %s is %s", (createdAt, expected) => {
  expect(dayOf(createdAt)).toBe(expected);
});

test("names and places that are not ours are not taken for vCons", () => {
  const uuid = toUuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8")!;
  expect(uuidOfFile(`${uuid}.json`)).toBe(uuid);
  expect(uuidOfFile(`${uuid}.txt`)).toBeUndefined();
  expect(uuidOfFile(`.${uuid}.json.tmp`)).toBeUndefined();
  expect(isPlace(`2026/01/02/${uuid}.json.gz`, uuid)).toBe(true);
  for (const place of [
    `/etc/${uuid}.json`,
    `../${uuid}.json`,
    `2026/01/02/../../${uuid}.json`,
    "2026/01/02/other.json",
  ]) {
    expect(isPlace(place, uuid), place).toBe(false);
  }
});

test("an unknown option is refused", () => {
  expect(() => file.options.parse({ pathh: "x" })).toThrow(/pathh/);
});
