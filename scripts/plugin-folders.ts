import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PluginKind } from "@vcon-server/core/config";
import type { Documented } from "./readme.ts";

export const ROOT = join(import.meta.dirname, "..");

/** A plug-in that the server ships: one folder. */
export interface PluginFolder {
  readonly kind: PluginKind;
  /** Folder of its kind under `packages`. */
  readonly group: "links" | "storages" | "tracers";
  readonly name: string;
  readonly folder: string;
}

const GROUPS = [
  ["link", "links"],
  ["storage", "storages"],
  ["tracer", "tracers"],
] as const;

/** Folders of plug-ins by kind and name; what two of them share begins with an underscore. */
export function pluginFolders(): readonly PluginFolder[] {
  return GROUPS.flatMap(([kind, group]) => {
    const parent = join(ROOT, "packages", group);
    return readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("_") && entry.name !== "node_modules")
      .filter((entry) => existsSync(join(parent, entry.name, "index.ts")))
      .map((entry) => ({ kind, group, name: entry.name, folder: join(parent, entry.name) }))
      .toSorted((one, other) => one.name.localeCompare(other.name, "en"));
  });
}

/** The plug-in a folder exports. */
export async function importPlugin({ folder, group, name }: PluginFolder): Promise<Documented> {
  const module: unknown = await import(pathToFileURL(join(folder, "index.ts")).href);
  const plugin = typeof module === "object" && module !== null && "default" in module ? module.default : undefined;
  if (isDocumented(plugin)) return plugin;
  throw new Error(`packages/${group}/${name}/index.ts: the default export is not a plug-in`);
}

const isDocumented = (value: unknown): value is Documented =>
  typeof value === "object" && value !== null && "name" in value && "summary" in value && "options" in value;
