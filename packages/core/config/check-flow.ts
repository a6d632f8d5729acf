import { consumersOf } from "./check-lists.ts";
import type { ChainDraft, Draft } from "./draft.ts";
import type { Report } from "./findings.ts";
import { routesOf, sendsOf } from "./routes.ts";
import { nearest } from "./suggest.ts";

/** Where vCons go from chain to chain: into lists nobody takes from, and round in circles. */
export function checkFlow(draft: Draft, report: Report): void {
  const consumers = consumersOf(draft);
  for (const chain of draft.chains) {
    for (const { list, path } of chain.steps.flatMap(routesOf)) {
      if (consumers.has(list) || hasBrokenIngress(draft)) continue;
      const sleeper = draft.chains.find(({ ingressLists }) => ingressLists.includes(list));
      const meant = nearest(list, consumers.keys());
      const message = sleeper
        ? `only ${sleeper.name} takes from ${list}, and it is disabled`
        : `no chain takes from ${list}`;
      const remedy = meant ? `did you mean ${meant}?` : "add a chain for it, unless another program takes from it";
      report("VCON_CONFIG_UNCONSUMED_LIST", { path, message, remedy });
    }
  }
  checkLoops(draft, report);
}

const hasBrokenIngress = ({ chains }: Draft): boolean => chains.some(({ broken }) => broken.has("ingress_lists"));

/** Reports the edge that closes each circle, in the order of the file. */
function checkLoops(draft: Draft, report: Report): void {
  const consumers = consumersOf(draft);
  const next = new Map<ChainDraft, Set<ChainDraft>>();
  for (const chain of draft.chains.filter(({ enabled }) => enabled)) {
    const targets = next.get(chain) ?? new Set();
    next.set(chain, targets);
    for (const { list, path } of sendsOf(chain)) {
      const target = consumers.get(list);
      if (!target || targets.has(target)) continue;
      const way = wayBetween(target, chain, next);
      if (way) {
        const circle = [chain, ...way].map(({ name }) => name).join(" → ");
        const remedy = "make sure that something ends it, or send to another list";
        report("VCON_CONFIG_LOOP", { path, message: `vCons go round in a circle: ${circle}`, remedy });
      }
      targets.add(target);
    }
  }
}

function wayBetween(
  from: ChainDraft,
  to: ChainDraft,
  next: ReadonlyMap<ChainDraft, ReadonlySet<ChainDraft>>,
): readonly ChainDraft[] | undefined {
  const seen = new Set<ChainDraft>([from]);
  const ways: (readonly ChainDraft[])[] = [[from]];
  for (let way = ways.shift(); way; way = ways.shift()) {
    const last = way.at(-1);
    if (last === to) return way;
    for (const chain of (last && next.get(last)) ?? []) {
      if (seen.has(chain)) continue;
      seen.add(chain);
      ways.push([...way, chain]);
    }
  }
  return undefined;
}
