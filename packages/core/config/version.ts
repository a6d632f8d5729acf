import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Returns the version of the installed program: all its packages have one and the same. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}
