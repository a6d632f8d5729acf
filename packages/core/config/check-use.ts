import type { ChainDraft, Draft } from "./draft.ts";
import type { Path, Report } from "./findings.ts";
import type { RetriesEntry } from "./schema.ts";

/** What is configured: used by a chain, and with waits that can happen. */
export function checkUse(draft: Draft, report: Report): void {
  const { chains } = draft;
  const intact = (key: string) => chains.length > 0 && chains.every(({ broken, entry }) => entry && !broken.has(key));
  const usedLinks = new Set(chains.flatMap(({ steps }) => steps.map(({ name }) => name)));
  if (intact("links")) reportUnused(draft.links, usedLinks, report);
  if (intact("storages")) reportUnused(draft.storages, namesIn(chains, "storages"), report);
  const everywhere = chains.some(({ enabled, entry }) => enabled && !entry?.tracers);
  if (intact("tracers") && !everywhere) reportUnused(draft.tracers, namesIn(chains, "tracers"), report);
  for (const { path, entry } of [...draft.links.values(), ...draft.storages.values()])
    checkRetries(path, entry?.retries, report);
  for (const { path, entry } of draft.storages.values()) {
    const { timeout, give_up_after_secs: giveUp } = entry ?? {};
    if (!giveUp || giveUp >= (timeout ?? 30)) continue;
    const message = "gives up before a single call may end";
    const remedy = "raise give_up_after_secs above timeout";
    report("VCON_CONFIG_TIMEOUT_UNREACHABLE", { path: [...path, "give_up_after_secs"], message, remedy });
  }
}

const namesIn = (chains: readonly ChainDraft[], key: "storages" | "tracers"): ReadonlySet<string> =>
  new Set(chains.flatMap(({ entry }) => entry?.[key] ?? []));

function reportUnused(
  entries: ReadonlyMap<string, { readonly path: Path }>,
  used: ReadonlySet<string>,
  report: Report,
): void {
  for (const [name, { path }] of entries) {
    if (used.has(name)) continue;
    report("VCON_CONFIG_UNUSED", {
      path,
      at: "key",
      message: "no chain uses it",
      remedy: "name it in a chain, or remove it",
    });
  }
}

function checkRetries(path: Path, retries: RetriesEntry | null | undefined, report: Report): void {
  const { initial_delay_secs: initial, max_delay_secs: longest } = retries ?? {};
  if (initial === undefined || initial === null || longest === undefined || longest === null || initial <= longest)
    return;
  const message = `begins with ${initial} s, which is longer than max_delay_secs ${longest} s`;
  const remedy = "raise max_delay_secs or lower initial_delay_secs";
  report("VCON_CONFIG_RETRIES", { path: [...path, "retries", "initial_delay_secs"], message, remedy });
}
