import type { ChainDraft, Step } from "./draft.ts";
import type { Path } from "./findings.ts";
import { eachText, factsOf } from "./schema-facts.ts";

/** A list that something sends to, and where the configuration says so. */
export interface Route {
  readonly list: string;
  readonly path: Path;
}

/** Lists a link sends to: the options its schema marks as list names. */
export function routesOf({ plugin, options, place }: Step): readonly Route[] {
  if (!plugin || !options) return [];
  const routes: Route[] = [];
  eachText(options, factsOf(plugin.options), (list, path, nodes) => {
    if (nodes.some((node) => node.list)) routes.push({ list, path: place(path) });
  });
  return routes;
}

/** Every list a chain sends to: its egress and what its links route. */
export function sendsOf(chain: ChainDraft): readonly Route[] {
  const egress = (chain.entry?.egress_lists ?? []).map(
    (list, at): Route => ({ list, path: [...chain.path, "egress_lists", at] }),
  );
  return [...egress, ...chain.steps.flatMap(routesOf)];
}
