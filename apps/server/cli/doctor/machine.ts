import { existsSync, statSync } from "node:fs";
import { access, constants, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import type { Settings } from "@vcon-server/core/config";
import { grouped } from "../progress.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const MIB = 1024 * 1024;

/** The Node this runs on, the clock, and who runs it. */
export function checkProcess(now: () => number = Date.now): Check[] {
  return [checkNode(process.versions.node), checkClock(now()), ...checkUser(process.getuid?.())];
}

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 18)) {
    return fail(
      "node",
      `Node ${version} cannot run the server`,
      "install Node 24; on Linux and Windows `npm ci` brings it along",
    );
  }
  if (major < 24) return warn("node", `Node ${version} works; 24 is what is tested`, "run it with Node 24");
  return ok("node", `Node ${version}`);
}

/** The clock must not be before this program was made: creation times and expiries depend on it. */
export function checkClock(now: number, made = statSync(import.meta.filename).mtimeMs): Check {
  const shown = new Date(now).toISOString();
  if (now + 86_400_000 < made) {
    return fail(
      "clock",
      `this machine believes it is ${shown}, before the program was installed`,
      "set the clock (NTP)",
    );
  }
  return ok("clock", shown);
}

export function checkUser(uid: number | undefined): Check[] {
  if (uid !== 0) return [];
  return [warn("user", "runs as root", "run the server as a user of its own that owns only the data folder")];
}

/** The data folder: there or creatable, writable, private, with room. */
export async function checkDataDir({ dataDir }: Pick<Settings, "dataDir">): Promise<Check[]> {
  const name = "data folder";
  const there = existsSync(dataDir);
  const nearest = there ? dataDir : existingParent(dataDir);
  try {
    await access(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return [
      fail(
        name,
        `${nearest} is not writable (${code})`,
        "give it to the user of the server, or set CONSERVER_DATA_DIR",
      ),
    ];
  }
  const checks = [there ? await checkPrivacy(dataDir) : ok(name, `${dataDir} will be created at the first start`)];
  const { bavail, blocks, bsize } = await statfs(nearest);
  return [...checks, checkRoom(bavail * bsize, blocks * bsize)];
}

function existingParent(folder: string): string {
  const parent = dirname(folder);
  return parent === folder || existsSync(parent) ? parent : existingParent(parent);
}

async function checkPrivacy(dataDir: string): Promise<Check> {
  const { mode } = await stat(dataDir);
  if (process.platform !== "win32" && (mode & 0o007) !== 0) {
    return warn("data folder", `every user of this machine can look into ${dataDir}`, `chmod o-rwx ${dataDir}`);
  }
  return ok("data folder", dataDir);
}

export function checkRoom(free: number, total: number): Check {
  const message = `${grouped(Math.floor(free / MIB))} MiB free of ${grouped(Math.floor(total / MIB))} MiB`;
  if (free < 100 * MIB) return fail("disk", message, "make room: intake stops when the disk is full");
  if (free < 1024 * MIB) return warn("disk", message, "make room, or put CONSERVER_DATA_DIR on a larger disk");
  return ok("disk", message);
}
