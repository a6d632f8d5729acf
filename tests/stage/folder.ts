import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of one test: configuration, data, storages and logs. */
export interface Folder {
  readonly path: string;
  readonly configFile: string;
  /** Written by every logging step of every process. */
  readonly effectLog: string;
  /** Root of the `file` storage. */
  readonly archive: string;
  at(...parts: string[]): string;
  remove(): void;
}

const PLUGINS = join(import.meta.dirname, "..", "plugins");

/** Makes the folder, with the test links where a configuration can name them: `./plugins/slow.ts`. */
export function makeFolder(configure: (folder: Pick<Folder, "effectLog" | "archive" | "path">) => object): Folder {
  const path = mkdtempSync(join(tmpdir(), "vcs-proof-"));
  const at = (...parts: string[]) => join(path, ...parts);
  const places = { path, effectLog: at("effects.log"), archive: at("archive") };
  mkdirSync(places.archive);
  symlinkSync(PLUGINS, at("plugins"));
  const configFile = at("config.yml");
  // JSON is YAML
  writeFileSync(configFile, JSON.stringify(configure(places), null, 2));
  return { ...places, configFile, at, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}
