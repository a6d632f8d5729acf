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
import { operationsOf } from "./owner/operations.ts";
import { openHere, temporaryFolder } from "./testing/folder.ts";

const contentOf = (n: number): Uint8Array => new TextEncoder().encode(`{"n":${n},"text":"${"abc".repeat(1_500)}"}`);

/** A folder with forty vCons; `crash` leaves it as a killed process would. */
function fill(path: string, crash: boolean): VconUuid[] {
  const opened = openHere(path);
  const run = operationsOf({ store: opened.store, file: opened.file, synchronous: "full" });
  const uuids = Array.from({ length: 40 }, () => freshUuid());
  for (const [n, uuid] of uuids.entries()) {
    const index = { createdAt: n, terms: [`name:${n}`] as const };
    opened.store.db.exec("BEGIN");
    run.submit([submission(uuid, { bytes: contentOf(n), lists: ["in"], index })]);
    opened.store.db.exec("COMMIT");
  }
  if (crash) cpSync(path, `${path}.crashed`, { recursive: true });
  opened.close();
  if (crash) {
    rmSync(path, { recursive: true });
    cpSync(`${path}.crashed`, path, { recursive: true });
    rmSync(`${path}.crashed`, { recursive: true });
  }
  return uuids;
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

  test("after a crash: a log cut short anywhere, as a power cut may leave it, opens with what was finished", () => {
    using folder = temporaryFolder();
    const uuids = fill(folder.path, true);
    const log = join(folder.path, "backend.sqlite-wal");
    const { size } = statSync(log);
    truncateSync(log, size - 100);
    const { refused, waiting } = inspect(folder.path, uuids.slice(0, 39));
    expect(refused).toBeUndefined();
    expect(waiting).toBe(39);
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
