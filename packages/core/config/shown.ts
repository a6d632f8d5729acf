import type { Draft } from "./draft.ts";
import type { Resolved } from "./interpolate.ts";
import { valueAt } from "./issues.ts";
import { isMap } from "./parse-entry.ts";
import { eachText, factsOf, type SchemaNode } from "./schema-facts.ts";

/** What stands in place of a secret. */
export const MASK = "***";

/** The configuration as people may see it: references resolved, secrets and passwords in URLs masked. */
export function shownOf({ value, from }: Resolved, draft: Draft): Readonly<Record<string, unknown>> {
  const hidden = new Set([...from].filter(([, { hidden }]) => hidden).map(([path]) => path));
  const hide = (path: readonly (string | number)[]) => hidden.add(JSON.stringify(path));
  const secretsIn = (
    options: unknown,
    schema: SchemaNode,
    place: (path: readonly (string | number)[]) => readonly (string | number)[],
  ) =>
    eachText(options, schema, (_, path, nodes) => {
      if (nodes.some((node) => node.secret)) hide(place(path));
    });
  for (const { path, plugin, written } of [
    ...draft.links.values(),
    ...draft.storages.values(),
    ...draft.tracers.values(),
  ]) {
    if (plugin) secretsIn(written, factsOf(plugin.options), (inner) => [...path, "options", ...inner]);
  }
  for (const { plugin, path, name } of draft.chains.flatMap(({ steps }) => steps)) {
    const inline = valueAt(value, [...path, name]);
    if (plugin && isMap(inline)) secretsIn(inline, factsOf(plugin.options), (inner) => [...path, name, ...inner]);
  }
  const masked = maskAt(value, [], (path) => path[0] === "ingress_auth" || hidden.has(JSON.stringify(path)));
  return isMap(masked) ? masked : {};
}

function maskAt(
  value: unknown,
  path: readonly (string | number)[],
  isSecret: (path: readonly (string | number)[]) => boolean,
): unknown {
  if (typeof value === "string") return isSecret(path) ? MASK : withoutPassword(value);
  if (Array.isArray(value)) return value.map((item, at) => maskAt(item, [...path, at], isSecret));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskAt(item, [...path, key], isSecret)]));
}

/** `scheme://user:password@host` with the password masked, wherever in the text. */
export const withoutPassword = (text: string): string => text.replace(/(:\/\/[^\s:@/]*):[^\s]*@/g, `$1:${MASK}@`);

/** Whether a text that is sent back stands, in part or whole, for a secret the server did not show. */
export const isMasked = (text: string): boolean => text === MASK || text.includes(`:${MASK}@`);
