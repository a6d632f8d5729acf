import type { DeliveryReport, Ending, Holding } from "@vcon-server/core/backend";
import type { Context } from "./context.ts";
import { graveKeys, LISTS_KEY, listKeys } from "./keys.ts";
import { depthsOf } from "./lists.ts";
import { integer, texts } from "./replies.ts";
import { Failed, read, write } from "./store.ts";

type Use = "taken" | "dlq";

/** Records which lists workers take from and which hold dead letters, so that they are found when no chain names them any more. */
export interface Holdings {
  note(use: Use, lists: Iterable<string>): Promise<void>;
  list(except: readonly string[]): Promise<Holding[]>;
}

export function createHoldings(context: Context): Holdings {
  const { store } = context;
  const noted = new Set<string>();
  return {
    async note(use, lists) {
      const fresh = [...new Set(lists)].map((list) => `${use} ${list}`).filter((member) => !noted.has(member));
      if (fresh.length === 0) return;
      const [reply] = await store.tryAll([write("sadd", LISTS_KEY, ...fresh)]);
      // a full or absent Redis must not keep work from going on; the next call tries again
      if (!(reply instanceof Failed)) for (const member of fresh) noted.add(member);
    },
    async list(except) {
      const known = new Set(except);
      const uses = texts(await store.one("looking for lists", read("smembers", LISTS_KEY))).map(parseUse);
      const found = await Promise.all(
        uses.filter(({ list }) => !known.has(list)).map((use) => readHolding(context, use)),
      );
      return found
        .filter(({ waiting, parked }) => waiting + parked > 0)
        .sort((a, b) => Number(a.dead) - Number(b.dead) || (a.list < b.list ? -1 : 1));
    },
  };
}

interface ListUse {
  readonly list: string;
  readonly dead: boolean;
}

function parseUse(member: string): ListUse {
  const gap = member.indexOf(" ");
  return { list: member.slice(gap + 1), dead: member.slice(0, gap) === "dlq" };
}

async function readHolding(context: Context, { list, dead }: ListUse): Promise<Holding> {
  const [waiting = 0] = await depthsOf(context, [list]);
  const { runs, parked } = listKeys(list);
  const commands = dead ? [read("llen", graveKeys(list).moving)] : [read("hlen", runs), read("hlen", parked)];
  const counts = (await context.store.all("counting entries", commands)).map(integer);
  const more = counts.reduce((sum, count) => sum + count, 0);
  return dead ? { list, dead, waiting: waiting + more, parked: 0 } : { list, dead, waiting, parked: more };
}

export const dlqsOfEndings = (batch: readonly Ending[]): string[] =>
  batch.flatMap((ending) => (ending.kind === "dead" ? [ending.dlq] : []));

export const dlqsOfReports = (batch: readonly DeliveryReport[]): string[] =>
  batch.flatMap(({ result }) => (result.kind === "dead" ? [result.dlq] : []));
