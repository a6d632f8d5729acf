import { VconError } from "@vcon-server/core";
import type { Revision } from "@vcon-server/core/backend";
import { entryOf } from "./claim.ts";
import type { DueChange } from "./due.ts";
import { type Commit, deadText, deliveryText, expiryWords, isEmpty, outboxOf, referring } from "./endings.ts";
import { dueKey, keysInOrder, stagingKey } from "./keys.ts";
import { list, maybeText, text, texts } from "./replies.ts";
import type { Argument, Command, Store } from "./store.ts";

/** An ending with what the script needs beside it. */
export interface Draft {
  readonly ending: Commit;
  /** Lists that workers of ours take from. */
  readonly consumed: ReadonlySet<string>;
  /** Revision the change is based on, as the script compares it. */
  readonly base: string;
}

/** What the script said about one run. */
export interface Verdict {
  readonly kind: "gone" | "lost" | "conflict" | "unstaged" | "done" | "outbox" | "ok";
  readonly rev: Revision | undefined;
  /** Outbox to carry out; `""` for none. */
  readonly text: string;
  readonly due: readonly DueChange[];
}

export const stagingOf = ({ lease }: Commit): string => stagingKey(lease.uuid, entryOf(lease), lease.token);

/** One call of the script for these runs. Runs that end alike share the description of how. */
export function commitCommand(store: Store, drafts: readonly Draft[], mode: "staged" | "inline"): Command {
  const keys = drafts.flatMap(({ ending }) => [...keysInOrder(ending.lease.uuid), stagingOf(ending)]);
  const positionOf = positions(keys);
  const ways = new Map<string, { readonly number: number; readonly args: readonly Argument[] }>();
  const runs = drafts.flatMap((draft) => {
    const { ending } = draft;
    // on Cluster, and for dead letters, the outbox does what is in other slots
    const direct = !store.cluster && ending.kind !== "dead";
    const { push, storages } = outboxOf(ending);
    const args = wayOf(draft, direct ? push.map(positionOf) : []);
    const name = args.join("\n");
    const way = ways.get(name) ?? { number: ways.size + 1, args };
    ways.set(name, way);
    const shard = direct && storages.length > 0 ? positionOf(dueKey(ending.lease.uuid)) : "";
    return [...runArguments(draft, mode), shard, way.number];
  });
  const shared = [...ways.values()].flatMap(({ args }) => args);
  return store.call("commit", keys, [drafts.length, ways.size, ...shared, ...runs]);
}

/** Positions of keys that are added behind those of the runs, each once. */
function positions(keys: string[]): (key: string) => number {
  const known = new Map<string, number>();
  return (key) => {
    const at = known.get(key) ?? keys.push(key);
    known.set(key, at);
    return at;
  };
}

function wayOf({ ending, consumed }: Draft, places: readonly number[]): readonly Argument[] {
  const outbox = outboxOf(ending);
  return [
    ...expiryWords(ending),
    referring(ending, consumed).join(" "),
    isEmpty(outbox) ? "" : JSON.stringify(outbox),
    deliveryText(ending, consumed),
    ending.lease.chain,
    deadText(ending),
    places.join(" "),
  ];
}

function runArguments({ ending, base }: Draft, mode: "staged" | "inline"): Argument[] {
  const { lease, change } = ending;
  const head = [entryOf(lease), lease.token, base];
  if (change === undefined) return [...head, "none", "", "", ""];
  const { createdAt, terms } = change.index;
  return [...head, mode, mode === "inline" ? change.bytes : "", createdAt, JSON.stringify(terms)];
}

export function verdictOf(reply: unknown, ending: Commit): Verdict {
  const [kind, first, second, ...due] = list(reply);
  const none = { rev: undefined, text: "", due: [] };
  const word = text(kind);
  switch (word) {
    case "gone":
    case "lost":
    case "conflict":
    case "unstaged":
      return { ...none, kind: word };
    case "done":
      return { ...none, kind: word, rev: revision(first) };
    case "outbox":
      return { ...none, kind: word, text: text(first), rev: revision(second) };
    case "ok":
      return { kind: word, rev: revision(first), text: text(second), due: due.map((pair) => dueOf(ending, pair)) };
    default:
      throw new VconError("VCON_INTERNAL", `committing runs: the script answered ${word} about ${ending.lease.uuid}`);
  }
}

function revision(reply: unknown): number | undefined {
  const written = maybeText(reply);
  return written === undefined ? undefined : Number(written);
}

function dueOf({ lease }: Commit, pair: unknown): DueChange {
  const [storage, score] = texts(pair);
  return { uuid: lease.uuid, storage: storage as string, mode: "set", score: score as string };
}
