import { isBuiltin } from "node:module";
import { z } from "zod";
import { asVconError, VconError } from "../errors/index.ts";
import type { Kinds, PluginKind, PluginRegistry, PluginTable } from "./registry.ts";

/** Prefixes under which the Python server's modules are known. */
const PREFIXES: Readonly<Record<PluginKind, RegExp>> = {
  link: /^(conserver\.)?links?\./,
  storage: /^(common\.)?storages?\./,
  tracer: /^(conserver\.)?tracers?\./,
};

const PACKAGE = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*(\/[a-zA-Z0-9._~-]+)*$/;

/** Imports an installed package by name; rejects with `ERR_MODULE_NOT_FOUND` when it is not installed. */
export type ImportPackage = (name: string) => Promise<unknown>;

/** The registry over the generated list, with installed npm packages beside it. */
export function createRegistry(
  table: PluginTable,
  importPackage: ImportPackage = (name) => import(name),
): PluginRegistry {
  function builtIn<K extends PluginKind>(kind: K, module: string): PluginTable[K][number] | undefined {
    const short = module.replace(PREFIXES[kind], "");
    const entries: readonly PluginTable[K][number][] = table[kind];
    return entries.find(({ name, aliases }) => name === short || aliases.includes(module) || aliases.includes(short));
  }

  async function load<K extends PluginKind>(kind: K, module: string): Promise<Kinds[K] | undefined> {
    const entry = builtIn(kind, module);
    // shape and kind of a shipped plug-in are held by the generated file's types
    if (entry) return (await entry.load()).default as Kinds[K];
    if (!PACKAGE.test(module) || isBuiltin(module) || PREFIXES[kind].test(module)) return undefined;
    const imported = await importPackage(module).catch((error) => {
      if (isAbsent(error, module)) return undefined;
      throw asVconError(error, "VCON_CONFIG_PLUGIN", `loading the package ${module}`);
    });
    return imported === undefined ? undefined : checkedPlugin(kind, module, imported);
  }

  return {
    names: (kind) => table[kind].map(({ name }) => name).toSorted(),
    knows: (kind, module) => builtIn(kind, module) !== undefined,
    load,
  };
}

const isAbsent = (error: unknown, module: string): boolean =>
  error instanceof Error &&
  /Cannot find (package|module)|Failed to load url|does the file exist/i.test(error.message) &&
  error.message.includes(
    module
      .split("/")
      .slice(0, module.startsWith("@") ? 2 : 1)
      .join("/"),
  ) &&
  !error.message.includes("node_modules/");

const common = { name: z.string().min(1), summary: z.string().min(1), options: z.custom(isOptionsSchema) };

const SHAPES: Readonly<Record<PluginKind, z.ZodType>> = {
  link: z.looseObject({ ...common, run: z.custom((value) => typeof value === "function") }),
  storage: z.looseObject({ ...common, open: z.custom((value) => typeof value === "function") }),
  tracer: z.looseObject({ ...common, open: z.custom((value) => typeof value === "function") }),
};

function isOptionsSchema(value: unknown): boolean {
  return (
    value instanceof z.ZodObject || (typeof value === "object" && value !== null && "_zod" in value && "shape" in value)
  );
}

/** The plug-in a module exports as its default; throws `VCON_CONFIG_PLUGIN` when it is none of this kind. */
export function checkedPlugin<K extends PluginKind>(kind: K, module: string, imported: unknown): Kinds[K] {
  const plugin =
    typeof imported === "object" && imported !== null && "default" in imported ? imported.default : undefined;
  const checked = SHAPES[kind].safeParse(plugin);
  if (checked.success) return plugin as Kinds[K];
  const what = [...new Set(checked.error.issues.map(({ path }) => String(path[0] ?? "default export")))].join(", ");
  throw new VconError(
    "VCON_CONFIG_PLUGIN",
    `the default export of ${module} is not a ${kind}: ${what} missing or of the wrong type`,
  );
}
