import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silent, VconError } from "@vcon-server/core";
import { freshUuid, submission } from "@vcon-server/core/backend/conformance/samples";
import { expect, test } from "vitest";
import { openEmbedded } from "./index.ts";
import { temporaryFolder } from "./testing/folder.ts";

/** A small file system under a folder, or why there can be none. */
function mountSmall(path: string): string | undefined {
  if (process.platform !== "linux") return "there is no tmpfs on this system";
  if (process.getuid?.() !== 0) return "mounting a tmpfs needs root";
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", path]);
  return undefined;
}

// without a tmpfs, owner/group.test.ts proves the same on a database that may not grow
test("a full disk is VCON_BACKEND_FULL, reads go on, and writing resumes when there is room", async ({ skip }) => {
  using folder = temporaryFolder();
  const impossible = mountSmall(folder.path);
  if (impossible !== undefined) skip(impossible);
  try {
    const ballast = join(folder.path, "ballast");
    writeFileSync(ballast, new Uint8Array(3_000_000));
    const backend = await openEmbedded({ dataDir: folder.path, synchronous: "full", log: silent });
    const submit = async () => {
      const uuid = freshUuid();
      await backend.submit([submission(uuid, { bytes: new Uint8Array(100_000), lists: ["in"] })]);
      return uuid;
    };
    const stored = [];
    let refused: unknown;
    for (let n = 0; refused === undefined && n < 100; n++) {
      try {
        stored.push(await submit());
      } catch (error) {
        refused = error;
      }
    }
    expect(stored.length).toBeGreaterThan(2);
    expect(refused).toBeInstanceOf(VconError);
    expect(refused).toMatchObject({ code: "VCON_BACKEND_FULL", retryable: true });
    expect((await backend.read(stored)).every((document) => document?.bytes.length === 100_000)).toBe(true);
    expect((await backend.health()).fill).toBeGreaterThan(0.8);
    rmSync(ballast);
    stored.push(await submit());
    expect(await backend.peek("in", 0, 200)).toEqual(stored);
    await backend.close();
  } finally {
    execFileSync("umount", [folder.path]);
  }
});
