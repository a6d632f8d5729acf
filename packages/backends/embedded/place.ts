import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, realpathSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VconError } from "@vcon-server/core";

/** Where the owner of a data directory listens. The path is short because sockets allow 107 bytes. */
export function addressOf(dataDir: string): string {
  const hash = createHash("sha256").update(realpathSync(dataDir)).digest("hex").slice(0, 8);
  return process.platform === "win32" ? `\\\\.\\pipe\\vcs-${hash}` : join(tmpdir(), `vcs-${hash}`, "owner.sock");
}

/** Address at which the owner's process reports its progress; beside the owner's socket. */
export function pulseAddress(address: string): string {
  return process.platform === "win32" ? `${address}-pulse` : join(address, "..", "pulse.sock");
}

/** Makes the folder of the socket, for this user alone. Somebody else's folder under that name is refused. */
export function prepareSocketFolder(address: string): void {
  if (process.platform === "win32") return;
  const folder = join(address, "..");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return;
  throw new VconError(
    "VCON_BACKEND_UNFIT",
    `opening the embedded backend: ${folder} belongs to somebody else or is open to others; remove it, or set TMPDIR to a private folder`,
  );
}

/** Takes the folder away again when the socket in it is gone. */
export function removeSocketFolder(address: string): void {
  const folder = join(address, "..");
  if (process.platform !== "win32" && readdirSync(folder).length === 0) rmdirSync(folder);
}
