import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ROOT } from "./server.ts";

/** What a new user has after `git clone`: the files git knows or would add, and none of this folder's data. */
export interface Clone {
  readonly path: string;
  remove(): void;
}

/**
 * Copies the files and puts the installed packages beside them, so that no registry is needed; links into the tree
 * lead to the copy's own folders.
 */
export function cloneTree(): Clone {
  const path = mkdtempSync(join(tmpdir(), "vcs clone-"));
  const deleted = new Set(gitFiles("--deleted"));
  for (const file of gitFiles("--cached", "--others", "--exclude-standard")) {
    if (!deleted.has(file)) cpSync(join(ROOT, file), join(path, file));
  }
  mkdirSync(join(path, "node_modules"));
  linkAll("node_modules", path);
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

function gitFiles(...kind: readonly string[]): string[] {
  const output = execFileSync("git", ["ls-files", "-z", ...kind], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return output.split("\0").filter(Boolean);
}

function linkAll(folder: string, clone: string): void {
  for (const name of readdirSync(join(ROOT, folder))) {
    const place = join(folder, name);
    if (name === "@vcon-server") {
      mkdirSync(join(clone, place));
      linkAll(place, clone);
      continue;
    }
    const real = realpathSync(join(ROOT, place));
    const inTree = relative(ROOT, real);
    const target = inTree.startsWith("..") || inTree.startsWith("node_modules") ? real : join(clone, inTree);
    symlinkSync(target, join(clone, place));
  }
}
