import { eachText, factsOf } from "../config/schema-facts.ts";
import type { OptionsSchema } from "../plugin/plugin.ts";

interface Configured {
  readonly plugin: { readonly options: OptionsSchema };
  readonly options: Readonly<Record<string, unknown>>;
}

/** The addresses in the options that its schema marks with `serviceUrl()`. */
export function servicesOf({ plugin, options }: Configured): readonly string[] {
  const services: string[] = [];
  eachText(options, factsOf(plugin.options), (url, _, nodes) => {
    if (nodes.some((node) => node.service)) services.push(url);
  });
  return services;
}
