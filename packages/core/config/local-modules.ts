import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { asVconError, VconError } from "../errors/index.ts";
import { checkedPlugin } from "./create-registry.ts";
import type { PluginRegistry } from "./registry.ts";

/**
 * The registry with `./name.ts` beside it: a plug-in of one's own in the folder of the configuration or below. Nothing
 * outside of that folder is loaded, since a configuration also arrives over HTTP. Loaded once per process.
 */
export const withLocalModules = (registry: PluginRegistry, configFile: string): PluginRegistry => ({
  ...registry,
  async load(kind, module) {
    const folder = resolve(dirname(configFile));
    const file = resolve(folder, module);
    const local = /^\.\.?\//.test(module) && !relative(folder, file).startsWith("..");
    if (!local) return registry.load(kind, module);
    if (!existsSync(file)) throw new VconError("VCON_CONFIG_PLUGIN", `there is no file ${file}`);
    const imported = await import(pathToFileURL(file).href).catch((error) => {
      throw asVconError(error, "VCON_CONFIG_PLUGIN", `loading ${file}`);
    });
    return checkedPlugin(kind, module, imported);
  },
});
