import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentOf, damage, type Sent, uuidOf } from "./content.ts";
import { type EffectLine, formatEffect, parseEffects, redelivered, repeatedEffects } from "./effect-log.ts";
import { type Bounds, type Evidence, judge } from "./judge.ts";
import { seeded } from "./random.ts";

const STEPS = [
  { name: "charge", effect: true },
  { name: "slow", effect: false },
  { name: "notify", effect: true },
];
const BOUNDS: Bounds = { acknowledged: 1, faults: 1, redelivered: 0 };

/** What an ideal server would leave behind after `count` vCons. */
function ideal(count: number, seed = 1): Evidence {
  const items: Sent[] = Array.from({ length: count }, (_, index) => ({ seed, index, mark: undefined }));
  const uuids = items.map(uuidOf);
  const rows = items.map((item) => ({ uuid: uuidOf(item), document: contentOf(item) }));
  const effects = uuids.flatMap((uuid) =>
    STEPS.map(({ name }): EffectLine => ({ uuid, step: name, pid: 1, attempt: 1 })),
  );
  return {
    sent: new Map(items.map((item) => [uuidOf(item), item])),
    acknowledged: new Set(uuids),
    storages: new Map([
      ["file", rows],
      ["postgres", rows],
    ]),
    dead: [],
    egress: uuids,
    effects,
    steps: STEPS,
    faults: 3,
    fresh: true,
  };
}

const rowsOf = (evidence: Evidence) => [...(evidence.storages.get("file") ?? [])];
const withFile = (evidence: Evidence, rows: ReturnType<typeof rowsOf>): Evidence => ({
  ...evidence,
  storages: new Map([...evidence.storages, ["file", rows]]),
});

describe("the judge", () => {
  test("has nothing to object to when every promise was kept", () => {
    expect(judge(ideal(20), BOUNDS).objections).toEqual([]);
  });

  const place = fc.nat({ max: 19 });
  const objected = (sabotage: (evidence: Evidence, at: number) => Evidence, what: RegExp) =>
    fc.assert(
      fc.property(place, (at) => {
        expect(judge(sabotage(ideal(20), at), BOUNDS).objections.join("\n")).toMatch(what);
      }),
      { numRuns: 20 },
    );

  test("sees any single loss in any one storage", () => {
    objected(
      (evidence, at) => withFile(evidence, rowsOf(evidence).toSpliced(at, 1)),
      /lost: acknowledged but neither in file.*: 1 /,
    );
  });

  test("accepts a dead letter in place of a row, but not one without a reason", () => {
    const evidence = ideal(20);
    const [uuid = ""] = evidence.acknowledged;
    const buried = (code: string) => ({ ...withFile(evidence, rowsOf(evidence).slice(1)), dead: [{ uuid, code }] });
    expect(judge(buried("VCON_LINK_FAILED"), BOUNDS).objections).toEqual([]);
    expect(judge(buried("UNKNOWN"), BOUNDS).objections.join()).toMatch(/without a reason: 1/);
  });

  test("sees any row stored twice, any that was never sent, and any missing egress", () => {
    objected(
      (evidence, at) => withFile(evidence, [...rowsOf(evidence), ...rowsOf(evidence).slice(at, at + 1)]),
      /twice in file: 1/,
    );
    objected(
      (evidence) => withFile(evidence, [...rowsOf(evidence), { uuid: "stranger", document: {} }]),
      /in file though never sent: 1/,
    );
    objected(
      (evidence, at) => ({ ...evidence, egress: evidence.egress.toSpliced(at, 1) }),
      /neither on the egress list nor dead-lettered: 1/,
    );
  });

  test("sees any damaged document", () => {
    objected((evidence, at) => {
      const rows = rowsOf(evidence);
      const row = rows[at];
      return row
        ? withFile(evidence, rows.with(at, { ...row, document: { ...row.document, subject: "another" } }))
        : evidence;
    }, /not as sent in file: 1 .*subject/);
  });

  test("sees an effect repeated after its checkpoint, and not one repeated before it", () => {
    const evidence = ideal(20);
    const [uuid = ""] = evidence.acknowledged;
    const charge = { uuid, step: "charge", pid: 2, attempt: 1 };
    expect(judge({ ...evidence, effects: [...evidence.effects, charge] }, BOUNDS).objections.join()).toMatch(
      /repeated after its checkpoint: 1/,
    );
    expect(judge({ ...evidence, effects: [charge, ...evidence.effects] }, BOUNDS).objections).toEqual([]);
  });

  test("refuses a test that saw too little to prove anything, or that broke an upper bound", () => {
    expect(judge(ideal(5), { acknowledged: 6, faults: 4, redelivered: 1 }).objections).toHaveLength(3);
    expect(judge({ ...ideal(5), fresh: false }, BOUNDS).objections).toHaveLength(1);
    const dead = [{ uuid: uuidOf({ seed: 1, index: 0 }), code: "VCON_POISON" }];
    expect(judge({ ...ideal(5), dead }, { ...BOUNDS, most: { dead: 0 } }).objections).toEqual([
      "dead 1, at most 0 allowed",
    ]);
  });
});

describe("the content", () => {
  test("comes again from its seed and number, differs between them, and allows only what links may add", () => {
    const sent = contentOf({ seed: 7, index: 3, mark: "hang" });
    expect(contentOf({ seed: 7, index: 3, mark: "hang" })).toEqual(sent);
    expect(uuidOf({ seed: 7, index: 3 })).not.toBe(uuidOf({ seed: 8, index: 3 }));
    expect(sent["subject"]).toMatch(/#hang$/);
    const attachments = sent["attachments"];
    const grown = {
      ...sent,
      vcon: "0.4.0",
      updated_at: "later",
      analysis: [{}],
      attachments: [...(Array.isArray(attachments) ? attachments : []), {}],
    };
    expect(damage(sent, grown)).toBeUndefined();
    expect(damage(sent, { ...grown, attachments: [{}] })).toBe("attachments");
    expect(damage(sent, { ...grown, more: 1 })).toBe("more");
  });

  test("uuids are distinct and of the draft's version", () => {
    const uuids = Array.from({ length: 2000 }, (_, index) => uuidOf({ seed: 3, index }));
    expect(new Set(uuids).size).toBe(2000);
    for (const uuid of uuids) expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("the effect log", () => {
  test("is read as it was written, and a torn line is noticed", () => {
    const line: EffectLine = { uuid: "u", step: "charge", pid: 4, attempt: 2 };
    expect(parseEffects(formatEffect(line).repeat(2))).toEqual([line, line]);
    expect(() => parseEffects("u charge\n")).toThrow(/broken line/);
  });

  test("tells runs taken up again from runs that went through", () => {
    const line = (uuid: string, step: string): EffectLine => ({ uuid, step, pid: 1, attempt: 1 });
    const lines = [
      line("a", "charge"),
      line("a", "notify"),
      line("b", "charge"),
      line("b", "charge"),
      line("b", "notify"),
    ];
    expect([...redelivered(lines)]).toEqual(["b"]);
    expect(repeatedEffects(lines, STEPS)).toEqual([]);
    // the kill came between the effect and its checkpoint: only what has no effect is done again
    const torn = [line("c", "charge"), line("c", "slow"), line("c", "notify"), line("c", "slow"), line("c", "notify")];
    expect(repeatedEffects(torn, STEPS)).toEqual([]);
    expect(repeatedEffects([...torn, line("c", "charge")], STEPS)).toHaveLength(1);
  });
});

test("seeded numbers are the same for a seed and purpose, uniform enough, and differ by purpose", () => {
  const first = seeded(5, "x");
  const second = seeded(5, "x");
  const numbers = Array.from({ length: 1000 }, first);
  expect(Array.from({ length: 1000 }, second)).toEqual(numbers);
  expect(seeded(5, "y")()).not.toBe(numbers[0]);
  const mean = numbers.reduce((sum, number) => sum + number) / numbers.length;
  expect(mean).toBeGreaterThan(0.45);
  expect(mean).toBeLessThan(0.55);
});
