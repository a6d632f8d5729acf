import { consumersOf } from "./check-lists.ts";
import type { ChainDraft, Draft } from "./draft.ts";
import type { FindingCode, Report } from "./findings.ts";
import { isMap } from "./parse-entry.ts";
import { nearest } from "./suggest.ts";

/** Each chain by itself: what it names exists, and what it says makes sense. */
export function checkChains(draft: Draft, report: Report): void {
  for (const chain of draft.chains) {
    checkNames(chain, draft, report);
    checkDuplicates(chain, report);
    checkSense(chain, report);
  }
  checkTests(draft, report);
  const useless = [...draft.ingressAuth.keys()].filter((list) => !consumersOf(draft).has(list));
  for (const list of draft.chains.some(({ broken }) => broken.has("ingress_lists")) ? [] : useless) {
    const remedy = "name the ingress list of an enabled chain, or remove it";
    report("VCON_CONFIG_KEY_USELESS", {
      path: ["ingress_auth", list],
      at: "key",
      message: `no chain takes from ${list}`,
      remedy,
    });
  }
}

/** Tells of a configuration that takes vCons and works on none. A `chains` of the wrong type is told elsewhere. */
export function checkAnyChain({ chains }: Draft, document: Readonly<Record<string, unknown>>, report: Report): void {
  if (chains.some(({ enabled }) => enabled)) return;
  const written = document["chains"] ?? undefined;
  if (chains.length === 0 && written !== undefined && !(isMap(written) && Object.keys(written).length === 0)) return;
  report("VCON_CONFIG_NO_CHAIN", {
    path: "chains" in document ? ["chains"] : [],
    at: "key",
    message: chains.length > 0 ? "no chain is enabled" : "there is no chain; vCons are taken in and not worked on",
    remedy: chains.length > 0 ? "enable one" : "add one under `chains`",
  });
}

interface Names {
  readonly key: "storages" | "required_storages" | "tracers";
  readonly code: FindingCode;
  readonly known: readonly string[];
  readonly what: string;
}

function checkNames(chain: ChainDraft, draft: Draft, report: Report): void {
  const storages = chain.entry?.storages ?? [];
  const kinds: readonly Names[] = [
    { key: "storages", code: "VCON_CONFIG_UNKNOWN_STORAGE", known: [...draft.storages.keys()], what: "storage" },
    { key: "tracers", code: "VCON_CONFIG_UNKNOWN_TRACER", known: [...draft.tracers.keys()], what: "tracer" },
    { key: "required_storages", code: "VCON_CONFIG_REQUIRED_STORAGE", known: storages, what: "storage of this chain" },
  ];
  for (const { key, code, known, what } of kinds) {
    if (key === "required_storages" && chain.broken.has("storages")) continue;
    for (const [at, name] of (chain.entry?.[key] ?? []).entries()) {
      if (known.includes(name)) continue;
      const meant = nearest(name, known);
      const elsewhere =
        key === "required_storages" ? "add it to `storages` of the chain" : `define it under \`${key}\``;
      const remedy = meant ? `did you mean ${meant}?` : elsewhere;
      report(code, { path: [...chain.path, key, at], message: `there is no ${what} ${JSON.stringify(name)}`, remedy });
    }
  }
}

const NAME_LISTS = ["ingress_lists", "egress_lists", "storages", "required_storages", "tracers"] as const;

function checkDuplicates(chain: ChainDraft, report: Report): void {
  for (const key of NAME_LISTS) {
    const names = chain.entry?.[key] ?? [];
    for (const [at, name] of names.entries()) {
      if (names.indexOf(name) === at) continue;
      const path = [...chain.path, key, at];
      report("VCON_CONFIG_DUPLICATE_ENTRY", { path, message: `${name} stands here twice`, remedy: "remove one" });
    }
  }
}

function checkSense(chain: ChainDraft, report: Report): void {
  const { entry, path, steps, broken } = chain;
  if (!entry) return;
  const { storages, egress_lists: egress } = entry;
  const key = { path, at: "key" } as const;
  const complete = ["links", "storages", "egress_lists"].every((name) => !broken.has(name));
  if (complete && steps.length === 0 && !storages?.length && !egress?.length) {
    const remedy = "give it links, storages or egress lists, or remove it";
    report("VCON_CONFIG_CHAIN_EMPTY", { ...key, message: "takes vCons and does nothing with them", remedy });
  }
  if (entry.ingress_lists?.length === 0) {
    const remedy = "name a list, or remove the key for the default";
    report("VCON_CONFIG_CHAIN_UNFED", { path: [...path, "ingress_lists"], message: "takes from no list", remedy });
  }
  for (const step of steps) checkStep(step, chain, report);
}

function checkStep(step: ChainDraft["steps"][number], chain: ChainDraft, report: Report): void {
  const { timeout, storages } = chain.entry ?? {};
  const own = step.entry?.timeout;
  if (timeout && own && own > timeout) {
    const message = `${step.name} may take ${own} s, the whole chain ${timeout} s`;
    const remedy = "lower the link's timeout or raise the chain's";
    report("VCON_CONFIG_TIMEOUT_UNREACHABLE", { path: [...chain.path, "timeout"], message, remedy });
  }
  // the one link whose effect outranks the rule that only copies are kept
  if (step.plugin?.name === "expire_vcon" && !storages?.length && !chain.broken.has("storages")) {
    const message = "lets vCons expire, and no storage of this chain keeps them";
    report("VCON_CONFIG_ONLY_COPY_EXPIRES", { path: step.path, message, remedy: "add a storage to the chain" });
  }
}

function checkTests(draft: Draft, report: Report): void {
  const names = new Set<string>();
  for (const { path, entry } of draft.tests) {
    if (!entry) continue;
    const { name, chain: chainName, expect } = entry;
    if (names.has(name)) {
      report("VCON_CONFIG_DUPLICATE_ENTRY", {
        path: [...path, "name"],
        message: "another test has this name",
        remedy: "rename one",
      });
    }
    names.add(name);
    if (Object.values(expect).every((value) => value === undefined || value === null)) {
      const remedy = "say what must come of it, for example `outcome: forward`";
      report("VCON_CONFIG_TEST", { path: [...path, "expect"], message: "expects nothing", remedy });
    }
    const chain = draft.chains.find((one) => one.name === chainName);
    if (!chain) {
      const meant = nearest(
        chainName,
        draft.chains.map((one) => one.name),
      );
      const remedy = meant ? `did you mean ${meant}?` : "define it under `chains`";
      report("VCON_CONFIG_UNKNOWN_CHAIN", {
        path: [...path, "chain"],
        message: `there is no chain ${JSON.stringify(chainName)}`,
        remedy,
      });
      continue;
    }
    for (const [at, storage] of (expect.stored_in ?? []).entries()) {
      if (chain.broken.has("storages") || chain.entry?.storages?.includes(storage)) continue;
      const message = `${chainName} does not store in ${JSON.stringify(storage)}`;
      report("VCON_CONFIG_TEST", {
        path: [...path, "expect", "stored_in", at],
        message,
        remedy: "name a storage of the chain",
      });
    }
  }
}
