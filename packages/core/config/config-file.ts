import { randomBytes } from "node:crypto";
import { open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { VconError } from "../errors/index.ts";
import { decodeText, type EncodingFault } from "./text-file.ts";

/** A configuration file as it is read. */
export interface FileText {
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
  /** First place at which the file is not valid UTF-8. */
  readonly fault?: EncodingFault;
}

/** Throws `VCON_CONFIG_UNREADABLE` when the file is missing or cannot be read. */
export async function readConfigFile(file: string): Promise<FileText> {
  try {
    const [bytes, { mode }] = await Promise.all([readFile(file), stat(file)]);
    return { ...decodeText(bytes), mode: mode & 0o777 };
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const remedy = missing
      ? "create it, or name the one you have with --config or CONSERVER_CONFIG_FILE"
      : "check its permissions";
    throw new VconError(
      "VCON_CONFIG_UNREADABLE",
      `reading the configuration ${file}: ${missing ? "it does not exist" : String(cause)}; ${remedy}`,
      { cause },
    );
  }
}

/**
 * Replaces the file in one step: whoever reads sees the old text or the new one. Links are followed, so that a
 * configuration behind one stays behind it. Throws `VCON_CONFLICT` where the file cannot be replaced.
 */
export async function writeConfigFile(file: string, { text, mode }: Omit<FileText, "fault">): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const beside = join(dirname(target), `.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const handle = await open(beside, "wx", mode);
    try {
      await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, target);
    await syncFolder(dirname(target));
  } catch (cause) {
    await rm(beside, { force: true });
    const remedy = "edit it where it comes from, or make its folder writable";
    throw new VconError("VCON_CONFLICT", `the configuration ${file} cannot be replaced here; ${remedy}`, { cause });
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
