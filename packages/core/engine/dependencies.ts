import { VconError } from "../errors/index.ts";
import type { Loaders } from "../plugin/plugin.ts";

/** Loads the packages a plug-in declares. A missing one is named together with the remedy. */
export async function loadDependencies(plugin: { readonly name: string; readonly dependencies?: Loaders }) {
  const loaded: Record<string, unknown> = {};
  for (const [name, load] of Object.entries(plugin.dependencies ?? {})) {
    try {
      loaded[name] = await load();
    } catch (cause) {
      throw new VconError("VCON_PLUGIN_MISSING", `${plugin.name} needs the package "${name}": npm install ${name}`, {
        cause,
      });
    }
  }
  return loaded;
}
