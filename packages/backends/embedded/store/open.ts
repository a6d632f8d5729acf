import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Logger, VconError } from "@vcon-server/core";
import { type Commits, openCommits, readBoot, readNoted } from "./commits.ts";
import { codedError, corrupt, isBusy } from "./failures.ts";
import { noteFormerUse } from "./holdings.ts";
import { createLeases } from "./leases.ts";
import { missingFile, readMark, writeMark } from "./mark.ts";
import { ADDITIONS, SCHEMA, SCHEMA_VERSION } from "./schema.ts";
import { createStore, type Store } from "./store.ts";
import { damageInside } from "./wal.ts";

export interface StoreOptions {
  readonly dataDir: string;
  readonly synchronous: "full" | "normal";
  readonly leaseMs: number;
  readonly now: () => number;
  readonly log: Logger;
  /** Tells one start of the machine from the next; read from the system unless given. */
  readonly boot?: Buffer;
}

export interface OpenedStore {
  readonly store: Store;
  readonly commits: Commits;
  readonly file: string;
  close(): void;
}

/** Databases up to this size are checked in full; for larger ones, indices are not compared with their tables. */
const FULL_CHECK_BYTES = 64 * 1024 * 1024;

/** Opens the database of a data directory for this process alone: checked, or refused with what to do. */
export function openStore(options: StoreOptions): OpenedStore {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const folder = realpathSync(options.dataDir);
  const file = join(folder, "backend.sqlite");
  const doing = `opening the embedded backend in ${folder}`;
  const lock = takeLock(folder, doing);
  try {
    const missing = missingFile(folder, file) ?? damageInside(`${file}-wal`);
    if (missing !== undefined) throw corrupt(doing, missing);
    const { now, log, synchronous, boot = readBoot() } = options;
    const { db, commits } = openDatabase(folder, { synchronous, boot, log, doing });
    const store = createStore({ db, now, log, leases: createLeases(options.leaseMs, now) });
    for (const { owner } of store.sql<{ owner: string }>("SELECT DISTINCT owner FROM queue WHERE state = 1").all()) {
      store.leases.renew(owner);
    }
    noteFormerUse(store);
    const close = (): void => {
      commits.close();
      db.close();
      lock.close();
    };
    return { store, commits, file, close };
  } catch (error) {
    lock.close();
    throw codedError(error, doing);
  }
}

/** A lock that ends with the process, whatever ends it. */
function takeLock(folder: string, doing: string): DatabaseSync {
  const note = join(folder, "owner.pid");
  const lock = new DatabaseSync(join(folder, "owner.lock"));
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw codedError(error, doing);
    const pid = readFileSync(note, { encoding: "utf8", flag: "a+" }).trim();
    throw new VconError(
      "VCON_BACKEND_UNFIT",
      `${doing}: process ${pid} already serves this directory; stop it, or set CONSERVER_DATA_DIR to another directory`,
      { details: { pid: Number(pid) } },
    );
  }
  writeFileSync(note, `${process.pid}\n`);
  return lock;
}

interface DatabaseOptions extends Required<Pick<StoreOptions, "synchronous" | "boot" | "log">> {
  readonly doing: string;
}

function openDatabase(folder: string, options: DatabaseOptions): { db: DatabaseSync; commits: Commits } {
  const { synchronous, doing } = options;
  const file = join(folder, "backend.sqlite");
  const openings = readMark(folder);
  const db = new DatabaseSync(file);
  try {
    // the journal mode is set under the exclusive lock, so that the index of the log needs no shared memory
    db.exec(
      "PRAGMA page_size = 8192; PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL",
    );
    db.exec(
      `PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864`,
    );
    db.exec("PRAGMA cache_size = -65536; PRAGMA cell_size_check = ON");
    const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version > SCHEMA_VERSION) {
      throw new VconError("VCON_BACKEND_UNFIT", `${doing}: a newer version of the server wrote it; start that version`);
    }
    const used = openings !== undefined || readNoted(folder) !== undefined;
    if (version === 0 && used) throw corrupt(doing, "the database is empty although it was in use");
    if (version === 0) db.exec(`BEGIN; ${SCHEMA} COMMIT`);
    else check(db, file, doing);
    db.exec(`BEGIN; ${ADDITIONS} COMMIT`);
    const commits = openCommits({ db, folder, ...options });
    countOpening(db, { folder, openings, doing });
    return { db, commits };
  } catch (error) {
    db.close();
    throw error;
  }
}

interface Opening {
  readonly folder: string;
  readonly openings: number | undefined;
  readonly doing: string;
}

/** Counts this opening in the database first, then in the mark: the database may be ahead, but never behind. */
function countOpening(db: DatabaseSync, { folder, openings = 0, doing }: Opening): void {
  const counted = db.prepare("UPDATE counters SET n = n + 1 WHERE name = 'openings' RETURNING n").get()?.["n"];
  const now = Number(counted);
  if (!(now > openings)) {
    throw corrupt(doing, `the last changes are missing: it was opened ${openings} times and knows of ${now - 1}`);
  }
  writeMark(folder, now);
}

function check(db: DatabaseSync, file: string, doing: string): void {
  const pragma = statSync(file).size <= FULL_CHECK_BYTES ? "integrity_check" : "quick_check";
  const found = db
    .prepare(`PRAGMA ${pragma}(5)`)
    .all()
    .map((row) => String(Object.values(row)[0]));
  if (found.join() !== "ok") throw corrupt(doing, `the database is damaged (${found.join(", ")})`);
}
