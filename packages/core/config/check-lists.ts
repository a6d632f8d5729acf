import type { ChainDraft, Draft } from "./draft.ts";
import type { Path, Report } from "./findings.ts";
import { LIST_NAME, LIST_NAME_RULE, reservedList } from "./list-names.ts";
import { dlqOf } from "./plan.ts";
import { routesOf } from "./routes.ts";

/** Names of lists: well formed, not the server's own, each taken from by one chain, dead letters by none. */
export function checkLists(draft: Draft, report: Report): void {
  for (const chain of draft.chains) {
    checkReserved(chain, draft, report);
    checkDlqName(chain, draft, report);
  }
  for (const [list] of draft.ingressAuth) {
    const path = ["ingress_auth", list];
    const rest = { path, at: "key", remedy: "name the ingress list of a chain" } as const;
    if (!LIST_NAME.test(list))
      report("VCON_CONFIG_LIST_NAME", { ...rest, message: `the name of a list ${LIST_NAME_RULE}` });
    else if (reservedList(list, draft.sortedSet)) report("VCON_CONFIG_LIST_RESERVED", { ...rest, message: RESERVED });
  }
  checkConsumers(draft, report);
  checkDeadLetters(draft, report);
}

const RESERVED = "the server keeps keys of its own under this name";

function checkReserved(chain: ChainDraft, { sortedSet }: Draft, report: Report): void {
  const remedy = "take a name that does not begin with vcs:, vcon:, tel:, mailto:, name: or context:";
  const tell = (name: string, path: Path, at: "key" | "value" = "value") => {
    if (reservedList(name, sortedSet)) report("VCON_CONFIG_LIST_RESERVED", { path, at, message: RESERVED, remedy });
  };
  for (const key of ["ingress_lists", "egress_lists"] as const) {
    for (const [at, name] of (chain.entry?.[key] ?? []).entries()) tell(name, [...chain.path, key, at]);
  }
  if (reservedList(`${chain.name}_ingress`, sortedSet)) tell(`${chain.name}_ingress`, chain.path, "key");
  for (const { list, path } of chain.steps.flatMap(routesOf)) if (LIST_NAME.test(list)) tell(list, path);
}

function checkDlqName(chain: ChainDraft, { sortedSet }: Draft, report: Report): void {
  const given = chain.entry?.dlq_name;
  if (given === undefined || given === null) return;
  const path = [...chain.path, "dlq_name"];
  const name = given.replaceAll("{ingress_list}", "list");
  if (!LIST_NAME.test(name)) {
    const remedy = "the only thing in braces can be {ingress_list}";
    report("VCON_CONFIG_LIST_NAME", { path, message: `the name of a list ${LIST_NAME_RULE}`, remedy });
  } else if (reservedList(name, sortedSet)) {
    report("VCON_CONFIG_LIST_RESERVED", { path, message: RESERVED, remedy: "take another name" });
  }
}

/** Enabled chains by the list they take from; the first one counts. */
export function consumersOf({ chains }: Draft): ReadonlyMap<string, ChainDraft> {
  const consumers = new Map<string, ChainDraft>();
  for (const chain of chains.filter(({ enabled }) => enabled)) {
    for (const list of chain.ingressLists) if (!consumers.has(list)) consumers.set(list, chain);
  }
  return consumers;
}

function checkConsumers(draft: Draft, report: Report): void {
  const consumers = consumersOf(draft);
  for (const chain of draft.chains.filter(({ enabled }) => enabled)) {
    for (const [at, list] of chain.ingressLists.entries()) {
      const first = consumers.get(list);
      if (first === chain || first === undefined) continue;
      const path = chain.entry?.ingress_lists ? [...chain.path, "ingress_lists", at] : chain.path;
      const remedy = "give each chain its own list and send to both, or disable one chain";
      report("VCON_CONFIG_LIST_TWICE", { path, message: `${first.name} takes from ${list} as well`, remedy });
    }
  }
}

function checkDeadLetters(draft: Draft, report: Report): void {
  const consumers = consumersOf(draft);
  const dead = new Map(
    draft.chains.flatMap((chain) => chain.ingressLists.map((list) => [dlqOf(chain, list), chain] as const)),
  );
  for (const [list, chain] of dead) {
    const consumer = consumers.get(list);
    if (!consumer) continue;
    const at = consumer.ingressLists.indexOf(list);
    const remedy = "take dead letters back with POST /dlq/reprocess, or rename the list";
    const path = consumer.entry?.ingress_lists ? [...consumer.path, "ingress_lists", at] : consumer.path;
    report("VCON_CONFIG_DEAD_LETTERS_CONSUMED", {
      path,
      message: `${list} holds the dead letters of ${chain.name}`,
      remedy,
    });
  }
  for (const chain of draft.chains) {
    for (const [at, list] of (chain.entry?.egress_lists ?? []).entries()) {
      const owner = dead.get(list);
      if (!owner) continue;
      const path = [...chain.path, "egress_lists", at];
      const message = `${list} holds the dead letters of ${owner.name}`;
      report("VCON_CONFIG_EGRESS_DEAD_LETTERS", { path, message, remedy: "send results to a list of their own" });
    }
  }
}
