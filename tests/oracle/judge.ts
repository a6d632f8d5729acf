import { contentOf, damage, type Members, type Sent } from "./content.ts";
import { type EffectLine, type LoggedStep, redelivered, repeatedEffects } from "./effect-log.ts";

/** One row or file of a storage; two of them may be of one vCon, which is what the judge looks for. */
export interface Row {
  readonly uuid: string;
  /** Absent where the storage keeps no whole document. */
  readonly document?: Members;
}

export interface DeadLetter {
  readonly uuid: string;
  readonly code: string;
}

/** Everything that is known when the faults have stopped and the server has come to rest. */
export interface Evidence {
  /** Every vCon that was ever on the wire, by uuid. */
  readonly sent: ReadonlyMap<string, Sent>;
  /** Those the server acknowledged: the obligations. */
  readonly acknowledged: ReadonlySet<string>;
  /** The storages that each vCon must be in, with all they hold. */
  readonly storages: ReadonlyMap<string, readonly Row[]>;
  readonly dead: readonly DeadLetter[];
  readonly egress: readonly string[];
  readonly effects: readonly EffectLine[];
  /** The steps that log themselves, in the order of the chain; none where a late worker may rightly repeat an effect. */
  readonly steps: readonly LoggedStep[];
  readonly faults: number;
  /** Whether a vCon sent after all the faults came through. */
  readonly fresh: boolean;
}

/** Below these a test proves nothing and fails; above `most` it broke a promise. */
export interface Bounds {
  readonly acknowledged: number;
  readonly faults: number;
  readonly redelivered: number;
  readonly most?: { readonly dead?: number; readonly redelivered?: number };
}

export interface Verdict {
  /** Empty when every promise held and enough was seen. */
  readonly objections: readonly string[];
  readonly counts: Readonly<
    Record<"sent" | "acknowledged" | "stored" | "dead" | "egress" | "faults" | "redelivered", number>
  >;
}

/** The oracle: compares what was promised with what there is. */
export function judge(evidence: Evidence, bounds: Bounds): Verdict {
  const dead = new Set(evidence.dead.map(({ uuid }) => uuid));
  const again = redelivered(evidence.effects);
  const counts = {
    sent: evidence.sent.size,
    acknowledged: evidence.acknowledged.size,
    stored: Math.min(...[...evidence.storages.values()].map((rows) => rows.length)),
    dead: dead.size,
    egress: evidence.egress.length,
    faults: evidence.faults,
    redelivered: again.size,
  };
  const repeated = repeatedEffects(evidence.effects, evidence.steps);
  return {
    counts,
    objections: [
      ...tooFew(counts, bounds),
      ...tooMany(counts, bounds.most ?? {}),
      ...[...evidence.storages].flatMap(([name, rows]) => objectionsToStorage(name, rows, evidence)),
      ...listed(
        "acknowledged but neither on the egress list nor dead-lettered",
        without(evidence.acknowledged, evidence.egress, dead),
      ),
      ...listed(
        "on the egress list though never sent",
        evidence.egress.filter((uuid) => !evidence.sent.has(uuid)),
      ),
      ...listed(
        "dead-lettered though never sent",
        [...dead].filter((uuid) => !evidence.sent.has(uuid)),
      ),
      ...listed(
        "dead-lettered without a reason",
        evidence.dead.filter(({ code }) => !/^VCON_[A-Z_]+$/.test(code)).map(({ uuid }) => uuid),
      ),
      ...listed(
        "an effect was repeated after its checkpoint",
        repeated.map(({ uuid, step }) => `${uuid} (${step})`),
      ),
      ...(evidence.fresh ? [] : ["a fresh vCon did not come through after the faults"]),
    ],
  };
}

function objectionsToStorage(name: string, rows: readonly Row[], { sent, acknowledged, dead }: Evidence): string[] {
  const uuids = rows.map(({ uuid }) => uuid);
  const once = new Set<string>();
  const doubled = uuids.filter((uuid) => once.size === once.add(uuid).size);
  const damaged = rows.flatMap(({ uuid, document }) => {
    const origin = sent.get(uuid);
    const member = origin && document && damage(contentOf(origin), document);
    return member === undefined ? [] : [`${uuid} (${member})`];
  });
  const buried = dead.map(({ uuid }) => uuid);
  return [
    ...listed(`lost: acknowledged but neither in ${name} nor dead-lettered`, without(acknowledged, uuids, buried)),
    ...listed(
      `in ${name} though never sent`,
      uuids.filter((uuid) => !sent.has(uuid)),
    ),
    ...listed(`twice in ${name}`, doubled),
    ...listed(`not as sent in ${name}`, damaged),
  ];
}

function tooFew(counts: Verdict["counts"], bounds: Bounds): string[] {
  const least = [
    ["acknowledged", bounds.acknowledged],
    ["faults", bounds.faults],
    ["redelivered", bounds.redelivered],
  ] as const;
  return least
    .filter(([what, min]) => counts[what] < min)
    .map(([what, min]) => `proves nothing: ${what} ${counts[what]}, at least ${min} needed`);
}

function tooMany(counts: Verdict["counts"], most: NonNullable<Bounds["most"]>): string[] {
  const limits = [
    ["dead", most.dead],
    ["redelivered", most.redelivered],
  ] as const;
  return limits.flatMap(([what, max]) =>
    max !== undefined && counts[what] > max ? [`${what} ${counts[what]}, at most ${max} allowed`] : [],
  );
}

function without(all: ReadonlySet<string>, ...present: readonly Iterable<string>[]): string[] {
  const found = new Set(present.flatMap((uuids) => [...uuids]));
  return [...all].filter((uuid) => !found.has(uuid));
}

const listed = (what: string, uuids: readonly string[]): string[] =>
  uuids.length === 0
    ? []
    : [`${what}: ${uuids.length} (${uuids.slice(0, 3).join(", ")}${uuids.length > 3 ? ", …" : ""})`];
