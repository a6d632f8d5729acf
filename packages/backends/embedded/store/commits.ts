import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Logger } from "@vcon-server/core";
import { corrupt, describeAcceptance } from "./failures.ts";

/*
 * Each transaction that changes something counts itself in the database, and what has been acknowledged is noted in a
 * file beside it. SQLite drops the tail of its log from the first damaged frame on, and takes a missing log for an
 * empty one; a database that has counted fewer commits than were acknowledged has lost some, and is refused.
 *
 * The note is written after the commit and before the answer, without waiting for the disk: that would double the cost
 * of every commit. It outlives the process at once and a power cut after at most a second. So the database may be ahead
 * of the note; behind it, it never is, except after a power cut under `synchronous = normal`, which risks just that.
 */

/** Two records of one sector each, written in turns, so that a torn write leaves the other one. */
const SLOT = 512;
const RECORD = 24;
const SYNC_EVERY_MS = 1_000;

/** Content of the file. */
export interface Noted {
  readonly commits: number;
  /** Boot of the machine during which the file was written; all zeros if unknown. */
  readonly boot: Buffer;
  /** Every commit was on the disk before it was noted. */
  readonly durable: boolean;
}

export const commitsFile = (folder: string): string => join(folder, "backend.commits");

/** Tells one start of the machine from the next; not known on every system. */
export function readBoot(): Buffer {
  const file = "/proc/sys/kernel/random/boot_id";
  if (!existsSync(file)) return Buffer.alloc(8);
  return createHash("sha256").update(readFileSync(file)).digest().subarray(0, 8);
}

/**
 * Returns the newer of the two records, undefined where there is no file, `"damaged"` where neither is whole. An empty
 * file is one whose maker was ended before it wrote: nothing was acknowledged under it.
 */
export function readNoted(folder: string): Noted | "damaged" | undefined {
  const file = commitsFile(folder);
  if (!existsSync(file)) return undefined;
  const bytes = readFileSync(file);
  if (bytes.length === 0) return undefined;
  const found = [0, SLOT].flatMap((at) => parseRecord(bytes.subarray(at, at + RECORD)) ?? []);
  return found.sort((a, b) => b.commits - a.commits)[0] ?? "damaged";
}

function parseRecord(record: Buffer): Noted | undefined {
  if (record.length < RECORD || crc32(record.subarray(0, 20)) !== record.readUInt32LE(20)) return undefined;
  const [commits, boot] = [Number(record.readBigUInt64LE(0)), Buffer.from(record.subarray(8, 16))];
  return { commits, boot, durable: record.readUInt32LE(16) === 1 };
}

function writeRecord({ commits, boot, durable }: Noted): Buffer {
  const record = Buffer.alloc(RECORD);
  record.writeBigUInt64LE(BigInt(commits), 0);
  boot.copy(record, 8);
  record.writeUInt32LE(durable ? 1 : 0, 16);
  record.writeUInt32LE(crc32(record.subarray(0, 20)), 20);
  return record;
}

/** Counts commits and notes which of them have been acknowledged. */
export interface Commits {
  /** Inside a transaction, as its last step: counts it when it changed something. */
  count(): void;
  /** After the commit, before any of its requests is answered. */
  acknowledge(): void;
  close(): void;
}

interface Opening {
  readonly db: DatabaseSync;
  readonly folder: string;
  readonly synchronous: "full" | "normal";
  readonly boot: Buffer;
  readonly log: Logger;
  readonly doing: string;
}

/** Compares what the database has counted with what was acknowledged, and goes on counting. */
export function openCommits(opening: Opening): Commits {
  const { db, folder, synchronous, boot, log } = opening;
  const counted = Number(db.prepare("SELECT n FROM counters WHERE name = 'commits'").get()?.["n"] ?? 0);
  // before anything is written: a log that is found again must still fit
  compare(opening, counted);
  db.exec("INSERT OR IGNORE INTO counters (name, n) VALUES ('commits', 0)");
  const record = (commits: number): Buffer => writeRecord({ commits, boot, durable: synchronous === "full" });
  const handle = createFile(folder, record(counted));
  const changes = db.prepare("SELECT total_changes() AS n");
  const add = db.prepare("UPDATE counters SET n = n + 1 WHERE name = 'commits' RETURNING n");
  let seen = Number(changes.get()?.["n"]);
  let next: number | undefined;
  let unsynced = false;
  let failing = false;
  const sync = setInterval(() => {
    if (!unsynced) return;
    unsynced = false;
    fdatasync(handle, () => undefined);
  }, SYNC_EVERY_MS);
  sync.unref();
  return {
    count() {
      // an idle request changes nothing and must not cost a commit
      next = Number(changes.get()?.["n"]) === seen ? undefined : Number(add.get()?.["n"]);
      if (next !== undefined) seen = Number(changes.get()?.["n"]);
    },
    acknowledge() {
      if (next === undefined) return;
      try {
        writeSync(handle, record(next), 0, RECORD, (next % 2) * SLOT);
        unsynced = true;
        failing = false;
      } catch (error) {
        // the commit itself is on the disk and stays acknowledged
        if (!failing) log.warn("the file that counts acknowledged commits cannot be written", { folder, error });
        failing = true;
      }
      next = undefined;
    },
    close() {
      clearInterval(sync);
      if (unsynced) fdatasyncSync(handle);
      closeSync(handle);
    },
  };
}

function compare({ folder, boot, log, doing }: Opening, counted: number): void {
  const noted = readNoted(folder);
  if (noted === "damaged") {
    throw corrupt(doing, `${commitsFile(folder)} is damaged, so that lost commits would not be noticed`, {
      remedy: `${describeAcceptance()} after having checked the disk`,
    });
  }
  if (noted === undefined || counted >= noted.commits) return;
  const lost = noted.commits - counted;
  const sameBoot = noted.boot.equals(boot) && !boot.equals(Buffer.alloc(8));
  if (noted.durable || sameBoot) {
    throw corrupt(
      doing,
      `the last ${lost} of ${noted.commits} acknowledged commits are missing: the write-ahead log backend.sqlite-wal ` +
        "was cut, emptied or removed, or an older backend.sqlite was put in its place",
    );
  }
  log.warn(
    "commits are missing after the machine has stopped; CONSERVER_SQLITE_SYNCHRONOUS=full would have kept them",
    {
      lost,
    },
  );
}

/** The file at its full size, so that noting a commit never needs room on the disk. Both records say the same. */
function createFile(folder: string, record: Buffer): number {
  const file = commitsFile(folder);
  const whole = Buffer.alloc(2 * SLOT);
  record.copy(whole, 0);
  record.copy(whole, SLOT);
  if (!existsSync(file)) writeFileSync(file, "", { mode: 0o600 });
  const handle = openSync(file, "r+");
  writeSync(handle, whole, 0, whole.length, 0);
  fsyncSync(handle);
  return handle;
}
