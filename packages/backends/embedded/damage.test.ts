import {
  closeSync,
  copyFileSync,
  cpSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { VconError } from "@vcon-server/core";
import { freshUuid, submission } from "@vcon-server/core/backend/conformance/samples";
import type { VconUuid } from "@vcon-server/vcon";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Result, runGroup } from "./owner/group.ts";
import { operationsOf } from "./owner/operations.ts";
import { readBoot } from "./store/commits.ts";
import type { OpenedStore } from "./store/open.ts";
import { openHere, temporaryFolder } from "./testing/folder.ts";

const contentOf = (n: number): Uint8Array => new TextEncoder().encode(`{"n":${n},"text":"${"abc".repeat(1_500)}"}`);

/** Does something as the owner does it for a client: committed, then acknowledged. */
function acknowledge({ store, commits }: OpenedStore, run: () => unknown): void {
  const results: Result[] = [];
  runGroup({ db: store.db, commits }, [{ name: "test", reads: false, run, answer: (result) => results.push(result) }]);
  expect(results).toEqual([{ value: expect.anything() }]);
}

interface Filling extends NonNullable<Parameters<typeof openHere>[1]> {
  /** Does something more before the end. */
  last?(opened: OpenedStore): void;
}

/** A folder with forty vCons; `crash` leaves it as a killed process would. */
function fill(path: string, crash: boolean, { last, ...options }: Filling = {}): VconUuid[] {
  const opened = openHere(path, options);
  const run = operationsOf({ store: opened.store, file: opened.file, synchronous: "full" });
  const uuids = Array.from({ length: 40 }, () => freshUuid());
  for (const [n, uuid] of uuids.entries()) {
    const index = { createdAt: n, terms: [`name:${n}`] as const };
    acknowledge(opened, () => run.submit([submission(uuid, { bytes: contentOf(n), lists: ["in"], index })]));
  }
  last?.(opened);
  if (crash) cpSync(path, `${path}.crashed`, { recursive: true });
  opened.close();
  if (crash) {
    rmSync(path, { recursive: true });
    cpSync(`${path}.crashed`, path, { recursive: true });
    rmSync(`${path}.crashed`, { recursive: true });
  }
  return uuids;
}

const LOG = "backend.sqlite-wal";

/** The files of a folder as they are now, to be put back. */
function saveFiles(path: string) {
  const names = ["backend.sqlite", "backend.mark", "backend.commits", LOG];
  const saved = new Map(names.map((name) => [name, readFileSync(join(path, name))]));
  const bytes = (name: string) => saved.get(name) ?? Buffer.alloc(0);
  const restore = () => {
    for (const name of names) writeFileSync(join(path, name), bytes(name));
  };
  return { bytes, restore };
}

/** What a start after the damage shows: refused with instructions, or what can be read and how. */
function inspect(path: string, uuids: readonly VconUuid[]): { refused?: unknown; waiting?: number; wrong: string[] } {
  let opened: ReturnType<typeof openHere>;
  try {
    opened = openHere(path);
  } catch (refused) {
    return { refused, wrong: [] };
  }
  try {
    const run = operationsOf({ store: opened.store, file: opened.file, synchronous: "full" });
    const wrong = uuids.filter((uuid, n) => !isRightOrRefused(() => run.read([uuid])[0]?.bytes, contentOf(n)));
    return { wrong, waiting: run.peek("in", 0, 100).length };
  } catch (refused) {
    return { refused, wrong: [] };
  } finally {
    opened.close();
  }
}

function isRightOrRefused(read: () => Uint8Array | undefined, expected: Uint8Array): boolean {
  try {
    return Buffer.from(read() ?? []).equals(expected);
  } catch (error) {
    return error instanceof VconError && error.code === "VCON_BACKEND_CORRUPT";
  }
}

function flip(file: string, bit: number): void {
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  const handle = openSync(file, "r+");
  writeSync(handle, bytes);
  closeSync(handle);
}

const expectInstructions = (refused: unknown): void => {
  expect(refused).toMatchObject({ code: "VCON_BACKEND_CORRUPT" });
  expect(String(refused)).toMatch(/restore a backup/);
};

describe("a damaged file is refused with instructions or read right, never silently empty", () => {
  test("any flipped bit of the database", { timeout: 120_000 }, () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, false);
    const file = join(folder.path, "backend.sqlite");
    copyFileSync(file, join(folder.path, "whole"));
    let refusals = 0;
    fc.assert(
      fc.property(fc.nat({ max: statSync(file).size * 8 - 1 }), (bit) => {
        copyFileSync(join(folder.path, "whole"), file);
        flip(file, bit);
        const { refused, wrong } = inspect(folder.path, uuids);
        if (refused !== undefined) {
          refusals += 1;
          expectInstructions(refused);
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 120 },
    );
    expect(refusals).toBeGreaterThan(0);
  });

  test("any truncation of the database, down to nothing", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, false);
    const file = join(folder.path, "backend.sqlite");
    const { size } = statSync(file);
    copyFileSync(file, join(folder.path, "whole"));
    for (const length of [0, 1, 100, 8_192, 50_000, Math.floor(size / 2), size - 8_192]) {
      copyFileSync(join(folder.path, "whole"), file);
      truncateSync(file, length);
      expectInstructions(inspect(folder.path, uuids).refused);
    }
    rmSync(file);
    expectInstructions(inspect(folder.path, uuids).refused);
  });

  test("a database that lacks its last byte, which may have been nothing", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, false);
    const file = join(folder.path, "backend.sqlite");
    truncateSync(file, statSync(file).size - 1);
    const { refused, wrong } = inspect(folder.path, uuids);
    if (refused !== undefined) expectInstructions(refused);
    expect(wrong).toEqual([]);
  });

  test("after a crash: a flipped bit in the log before the last changes", { timeout: 120_000 }, () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, true);
    const log = join(folder.path, "backend.sqlite-wal");
    const whole = readFileSync(log);
    const saved = readFileSync(join(folder.path, "backend.sqlite"));
    fc.assert(
      fc.property(fc.nat({ max: Math.floor(whole.length / 2) * 8 }), (bit) => {
        writeFileSync(join(folder.path, "backend.sqlite"), saved);
        writeFileSync(log, whole);
        flip(log, bit);
        expectInstructions(inspect(folder.path, uuids).refused);
      }),
      { numRuns: 60 },
    );
  });

  test("after a crash: a log that is missing or empty", () => {
    using folder = temporaryFolder();
    fill(folder.path, false);
    const uuids = fill(folder.path, true);
    const files = ["backend.sqlite", "backend.mark"].map((name) => join(folder.path, name));
    const saved = files.map((file) => readFileSync(file));
    for (const lose of [(log: string) => truncateSync(log, 0), (log: string) => rmSync(log)]) {
      for (const [n, file] of files.entries()) writeFileSync(file, saved[n] ?? "");
      writeFileSync(join(folder.path, "backend.sqlite-wal"), "");
      lose(join(folder.path, "backend.sqlite-wal"));
      expectInstructions(inspect(folder.path, uuids).refused);
    }
  });

  test("after a crash: a log that lacks anything that was acknowledged, cut at any place", { timeout: 120_000 }, () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, true);
    const saved = saveFiles(folder.path);
    const { size } = statSync(join(folder.path, LOG));
    fc.assert(
      fc.property(fc.nat({ max: size - 1 }), (length) => {
        saved.restore();
        truncateSync(join(folder.path, LOG), length);
        const { refused } = inspect(folder.path, uuids);
        expectInstructions(refused);
        expect(String(refused)).toMatch(/acknowledged commits are missing|empty although/);
      }),
      { numRuns: 40 },
    );
    // the refusal changed nothing that a log found again would not fit
    writeFileSync(join(folder.path, LOG), saved.bytes(LOG));
    expect(inspect(folder.path, uuids)).toEqual({ wrong: [], waiting: 40 });
  });

  test("after a crash: a log whose last transaction was not acknowledged, torn as a power cut leaves it, opens", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, true, {
      last: ({ store }) => store.db.exec("BEGIN; UPDATE vcons SET rev = rev + 1; COMMIT"),
    });
    truncateSync(join(folder.path, LOG), statSync(join(folder.path, LOG)).size - 100);
    expect(inspect(folder.path, uuids)).toEqual({ wrong: [], waiting: 40 });
  });

  test("after a crash: a log that is gone although its opening had reached the database", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, true, {
      last(opened) {
        opened.store.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        acknowledge(opened, () => opened.store.db.prepare("UPDATE vcons SET rev = rev + 1").run());
      },
    });
    rmSync(join(folder.path, LOG));
    expect(String(inspect(folder.path, uuids).refused)).toContain("the last 1 of 41 acknowledged commits are missing");
  });

  test.each([
    ["a log without its database", ["backend.sqlite", "backend.mark", "backend.commits"]],
    ["neither, only the count of commits", ["backend.sqlite", LOG, "backend.mark"]],
    ["neither, only the count of openings", ["backend.sqlite", LOG, "backend.commits"]],
    ["a database whose log and count of openings are gone", [LOG, "backend.mark"]],
  ])("after a crash: %s", (_, lost) => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, true);
    for (const name of lost) rmSync(join(folder.path, name));
    expectInstructions(inspect(folder.path, uuids).refused);
  });

  test("an older copy of the database is refused, and accepted when its counts are removed as the message says", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, false);
    const backup = readFileSync(join(folder.path, "backend.sqlite"));
    const later = fill(folder.path, false);
    writeFileSync(join(folder.path, "backend.sqlite"), backup);
    const { refused } = inspect(folder.path, later);
    expectInstructions(refused);
    expect(String(refused)).toContain("remove backend.commits and backend.mark");
    for (const name of ["backend.commits", "backend.mark"]) rmSync(join(folder.path, name));
    expect(inspect(folder.path, uuids)).toEqual({ wrong: [], waiting: 40 });
  });

  test("a count of commits that is damaged itself is told; half of it is enough", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, false);
    flip(join(folder.path, "backend.commits"), 5);
    expect(inspect(folder.path, uuids)).toEqual({ wrong: [], waiting: 40 });
    flip(join(folder.path, "backend.commits"), 5);
    flip(join(folder.path, "backend.commits"), 512 * 8 + 5);
    expect(String(inspect(folder.path, uuids).refused)).toContain("backend.commits is damaged");
  });

  test("a count of commits whose maker was ended before it wrote anything keeps no database from being opened", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, false);
    truncateSync(join(folder.path, "backend.commits"), 0);
    expect(inspect(folder.path, uuids)).toEqual({ wrong: [], waiting: 40 });
  });

  test("what synchronous = normal may lose when the machine stops is no damage, but it is while the machine goes on", () => {
    using folder = temporaryFolder();
    const normal = { synchronous: "normal", boot: Buffer.from("12345678") } as const;
    const uuids = fill(folder.path, true, normal);
    const cut = () => truncateSync(join(folder.path, LOG), statSync(join(folder.path, LOG)).size - 100);
    const saved = saveFiles(folder.path);
    cut();
    expect(() => openHere(folder.path, normal)).toThrow(/acknowledged commits are missing/);
    saved.restore();
    cut();
    openHere(folder.path, { ...normal, boot: Buffer.from("87654321") }).close();
    expect(inspect(folder.path, uuids.slice(0, 39))).toEqual({ wrong: [], waiting: 39 });
    expect(readBoot()).toHaveLength(8);
  });

  test("a file that is no database, and one of a newer version", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, false);
    const opened = openHere(folder.path);
    opened.store.db.exec("PRAGMA user_version = 999");
    opened.close();
    expect(inspect(folder.path, uuids).refused).toMatchObject({ code: "VCON_BACKEND_UNFIT" });
    writeFileSync(join(folder.path, "backend.sqlite"), "this is a text file".repeat(1_000));
    expectInstructions(inspect(folder.path, uuids).refused);
  });

  test("a whole folder after a crash opens with everything", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, true);
    expect(inspect(folder.path, uuids)).toEqual({ wrong: [], waiting: 40 });
  });
});
