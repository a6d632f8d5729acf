import type { Tracer } from "../plugin/tracer.ts";
import type { Ready } from "./draft.ts";
import { withOptions } from "./load-plugins.ts";
import { loadSection } from "./load-sections.ts";
import { isMap, type Surroundings } from "./parse-entry.ts";
import type { PluginRegistry } from "./registry.ts";
import type { TracerEntry } from "./schema.ts";

/** Every tracer has this option: whether a failing trace fails the vCon. The engine acts on it, not the plug-in. */
const STRICT = "dlq_vcon_on_error";

/** The tracers, with the option all of them have. */
export async function loadTracers(
  document: Readonly<Record<string, unknown>>,
  loading: Surroundings & { readonly registry: PluginRegistry },
): Promise<ReadonlyMap<string, Ready<TracerEntry, Tracer>>> {
  const tracers = await loadSection("tracer", document, loading);
  return new Map(
    [...tracers.values()].map((tracer) => {
      const written = isMap(tracer.written) ? tracer.written : {};
      const { [STRICT]: strict = false, ...own } = written;
      if (typeof strict !== "boolean") {
        const path = [...tracer.path, "options", STRICT];
        loading.report("VCON_CONFIG_TYPE", { path, message: "must be true or false", remedy: "write true or false" });
      }
      const { options, ...rest } = withOptions<TracerEntry, "tracer">({ ...tracer, written: own }, loading);
      return [tracer.name, { ...rest, written, options: options && { ...options, [STRICT]: strict } }];
    }),
  );
}
