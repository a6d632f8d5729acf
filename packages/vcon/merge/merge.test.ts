import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Analysis,
  type Attachment,
  type Dialog,
  mergeVcons,
  parseVcon,
  tagsOf,
  type Vcon,
  withTags,
} from "../index.ts";
import { deepEqual } from "../shape.ts";

const UUID = "01a088b7-7e9e-8501-9c23-b79d96f1a1ba";
const vcon = (members: object): Vcon => parseVcon(JSON.stringify({ uuid: UUID, ...members }));

const BASE = vcon({
  parties: [{ name: "A" }, { name: "B" }],
  dialog: [{ type: "text", parties: [0, 1], body: "hi", encoding: "none" }],
  analysis: [{ type: "summary", dialog: 0, body: "s", encoding: "none" }],
  attachments: [{ purpose: "tags", body: '["a:1"]', encoding: "json" }],
});
const merge = (mine: Vcon, theirs: Vcon, base = BASE) => mergeVcons({ base, mine, theirs });
const text = (body: string, rest: object = {}): Dialog => ({ type: "text", body, ...rest });
const note = (body: string, rest: Partial<Analysis> = {}): Analysis => ({ type: "note", body, ...rest });

describe("what both appended is kept, theirs first", () => {
  test("in every list", () => {
    const mine = {
      ...BASE,
      parties: [...(BASE.parties ?? []), { name: "M" }],
      analysis: [...(BASE.analysis ?? []), note("mine")],
      extensions: ["x"],
    };
    const theirs = {
      ...BASE,
      parties: [...(BASE.parties ?? []), { name: "T" }],
      analysis: [...(BASE.analysis ?? []), note("theirs")],
      extensions: ["y"],
    };
    const { vcon: merged, findings } = merge(mine, theirs);
    expect(merged.parties?.map(({ name }) => name)).toEqual(["A", "B", "T", "M"]);
    expect(merged.analysis?.map(({ body }) => body)).toEqual(["s", "theirs", "mine"]);
    expect(merged.extensions).toEqual(["y", "x"]);
    expect(findings).toEqual([]);
  });

  test("indices follow what they point at", () => {
    const grown = (name: string): Vcon => ({
      ...BASE,
      parties: [...(BASE.parties ?? []), { name }],
      dialog: [
        ...(BASE.dialog ?? []),
        text(name, { parties: [[0, 2], null], originator: 2, party_history: [{ party: 2 }, { party: 0 }] }),
        { type: "transfer", transferee: 2, transferor: 0, original: 0, target_dialog: 1 },
      ],
      attachments: [...(BASE.attachments ?? []), { purpose: name, party: 2, dialog: 1 }],
      analysis: [...(BASE.analysis ?? []), note(name, { dialog: [0, 1, 2], attachment: 1 })],
    });
    const { vcon: merged } = merge(grown("mine"), grown("theirs"));
    expect(merged.parties?.map(({ name }) => name)).toEqual(["A", "B", "theirs", "mine"]);
    expect(merged.dialog?.slice(1)).toMatchObject([
      { body: "theirs", parties: [[0, 2], null], originator: 2, party_history: [{ party: 2 }, { party: 0 }] },
      { transferee: 2, target_dialog: 1 },
      { body: "mine", parties: [[0, 3], null], originator: 3, party_history: [{ party: 3 }, { party: 0 }] },
      { transferee: 3, transferor: 0, original: 0, target_dialog: 3 },
    ]);
    expect(merged.attachments?.slice(1)).toEqual([
      { purpose: "theirs", party: 2, dialog: 1 },
      { purpose: "mine", party: 3, dialog: 3 },
    ]);
    expect(merged.analysis?.slice(1)).toMatchObject([
      { dialog: [0, 1, 2], attachment: 1 },
      { dialog: [0, 3, 4], attachment: 2 },
    ]);
  });

  test("what both appended alike stands once, unless it points at different things", () => {
    const alike = { ...BASE, analysis: [...(BASE.analysis ?? []), note("same", { dialog: 0 })] };
    const { vcon: once } = merge({ ...alike, subject: "x" }, alike);
    expect(once.analysis?.map(({ body }) => body)).toEqual(["s", "same"]);
    const own = (body: string): Vcon => ({
      ...BASE,
      dialog: [...(BASE.dialog ?? []), text(body), { type: "transfer", original: 1 }],
      analysis: [...(BASE.analysis ?? []), note("same", { dialog: 1 })],
    });
    const { vcon: both } = merge(own("mine"), own("theirs"));
    expect(both.dialog?.map(({ original }) => original)).toEqual([undefined, undefined, 1, undefined, 3]);
    expect(both.analysis?.map(({ dialog }) => dialog)).toEqual([0, 1, 3]);
  });
});

test("an index that leads nowhere, or is none, stays as it was sent when both edits are united", () => {
  const value = fc.oneof(
    fc.integer({ min: -2, max: 9 }),
    fc.constantFrom<unknown>(0.25, 0.75, 1.5, 2.25, -0.75, 1e300, "0", null, true, {}),
  );
  const index = fc.oneof(value, fc.array(fc.oneof(value, fc.array(value, { maxLength: 2 })), { maxLength: 3 }));
  const history = fc.oneof(value, fc.array(fc.oneof(value, fc.record({ party: value })), { maxLength: 2 }));
  const dialog = fc.record({ originator: index, transferee: index, original: index, party_history: history });
  const analysis = fc.record({ dialog: index, attachment: index });
  const attachment = fc.record({ party: index, dialog: index });
  fc.assert(
    fc.property(dialog, analysis, attachment, (one, two, three) => {
      const base = vcon({ parties: [{}], dialog: [{}, one], analysis: [two], attachments: [three] });
      const mine = withTags(base, [{ name: "mine", value: "" }]);
      const theirs = { ...base, subject: "theirs", analysis: [...(base.analysis ?? []), note("theirs")] };
      const { vcon: merged, findings } = merge(mine, theirs, base);
      expect(findings).toEqual([]);
      expect(merged.dialog).toEqual(base.dialog);
      expect(merged.analysis).toEqual(theirs.analysis);
      expect(merged.attachments).toEqual(mine.attachments);
    }),
    { numRuns: 1000 },
  );
});

describe("tags are united as a set", () => {
  const tagged = (base: Vcon, ...names: string[]) =>
    withTags(
      base,
      names.map((name) => ({ name, value: "x" })),
    );
  const bare: Vcon = { ...BASE, attachments: [] };

  test("whether the attachment was there before or both made one", () => {
    for (const base of [BASE, bare]) {
      const { vcon: merged, findings } = merge(tagged(base, "m", "both"), tagged(base, "t", "both"), base);
      expect(merged.attachments).toHaveLength(1);
      expect(new Set(tagsOf(merged).keys())).toEqual(new Set([...(base === BASE ? ["a"] : []), "t", "both", "m"]));
      expect(findings).toEqual([]);
    }
  });

  test("what one side took away stays away, and the body is written as mine is", () => {
    const value: Attachment = { purpose: "tags", body: ["m:1"], encoding: "json" };
    const theirs = tagged(BASE, "t");
    const { vcon: merged } = merge({ ...BASE, attachments: [value] }, theirs);
    expect(merged.attachments).toEqual([{ purpose: "tags", body: ["t:x", "m:1"], encoding: "json" }]);
  });
});

describe("changes in place", () => {
  const changed = (members: object): Vcon => ({
    ...BASE,
    analysis: [{ ...BASE.analysis?.[0], type: "summary", ...members }],
  });

  test("of different members meet", () => {
    const { vcon: merged, findings } = merge(
      changed({ vendor: "v", meta: { a: 1 } }),
      changed({ product: "p", meta: { b: 2 } }),
    );
    expect(merged.analysis).toEqual([
      { type: "summary", dialog: 0, body: "s", encoding: "none", vendor: "v", product: "p", meta: { a: 1, b: 2 } },
    ]);
    expect(findings).toEqual([]);
  });

  test("of one member: mine wins, the other is told", () => {
    const { vcon: merged, findings } = merge(
      { ...changed({ body: "mine" }), subject: "m" },
      { ...changed({ body: "theirs" }), subject: "t" },
    );
    expect(merged).toMatchObject({ subject: "m", analysis: [{ body: "mine" }] });
    expect(findings).toMatchObject([
      { code: "merge.conflict", pointer: "/analysis/0/body", other: "theirs" },
      { code: "merge.conflict", pointer: "/subject", other: "t" },
    ]);
  });

  test("bodies are not mixed", () => {
    const { vcon: merged, findings } = merge(changed({ body: { a: 1 } }), changed({ body: { b: 2 } }));
    expect(merged.analysis?.[0]?.body).toEqual({ a: 1 });
    expect(findings).toMatchObject([{ pointer: "/analysis/0/body", other: { b: 2 } }]);
  });

  test("the later time of change counts, without a word", () => {
    const [early, late] = ["2026-09-14T08:30:00Z", "2026-09-14T11:00:00+02:00"].map(
      (updated_at): Vcon => ({ ...BASE, updated_at }),
    );
    expect(merge(early!, late!)).toEqual({ vcon: late, findings: [] });
    expect(merge(late!, early!)).toEqual({ vcon: late, findings: [] });
  });

  test("what one side took away is gone, unless the other one needs it", () => {
    const { analysis: _, ...without } = BASE;
    expect(merge(without, { ...BASE, subject: "x" }).vcon).toEqual({ ...without, subject: "x" });
    const theirs = { ...BASE, analysis: [...(BASE.analysis ?? []), note("new", { dialog: 0 })] };
    const kept = merge({ ...BASE, dialog: [], subject: "m" }, theirs);
    expect(kept.vcon).toMatchObject({ dialog: [{ body: "hi" }], subject: "m", analysis: [{}, { dialog: 0 }] });
    expect(kept.findings).toMatchObject([{ pointer: "/dialog/0" }]);
    const lost = merge({ ...BASE, analysis: [] }, { ...changed({ body: "theirs" }), subject: "t" });
    expect(lost.vcon).toMatchObject({ analysis: [], subject: "t" });
    expect(lost.findings).toMatchObject([{ pointer: "/analysis/0", other: { body: "theirs" } }]);
    const mine = merge(changed({ body: "mine" }), { ...BASE, analysis: [], subject: "t" });
    expect(mine.vcon).toMatchObject({ analysis: [{ body: "mine" }], subject: "t" });
    expect(mine.findings).toMatchObject([{ pointer: "/analysis/0" }]);
  });

  test("elements that were taken out of the middle move the indices of the rest", () => {
    const base = vcon({ dialog: ["a", "b", "c"].map((body) => text(body)), analysis: [note("x", { dialog: 2 })] });
    const mine: Vcon = { ...base, dialog: [text("b"), text("c")], analysis: [note("x", { dialog: 1 })] };
    const theirs: Vcon = {
      ...base,
      dialog: [...(base.dialog ?? []), text("d")],
      analysis: [...(base.analysis ?? []), note("y", { dialog: [1, 3] })],
    };
    const { vcon: merged, findings } = mergeVcons({ base, mine, theirs });
    expect(merged.dialog?.map(({ body }) => body)).toEqual(["b", "c", "d"]);
    expect(merged.analysis).toEqual([note("x", { dialog: 1 }), note("y", { dialog: [0, 2] })]);
    expect(findings).toEqual([]);
  });
});

test("a sealed document is not taken apart", () => {
  const sealed = vcon({ uuid: UUID, payload: "e30", signatures: [{ header: { uuid: UUID } }] });
  const result = merge(sealed, { ...BASE, subject: "t" });
  expect(result.vcon).toBe(sealed);
  expect(result.findings).toMatchObject([{ pointer: "", other: { subject: "t" } }]);
});

describe("laws", () => {
  const element = fc.record(
    { type: fc.constantFrom("a", "b"), body: fc.string({ maxLength: 2 }) },
    { requiredKeys: ["type"] },
  );
  const document = fc
    .record(
      {
        subject: fc.option(fc.string({ maxLength: 2 }), { nil: undefined }),
        dialog: fc.array(element, { maxLength: 4 }),
        analysis: fc.array(element, { maxLength: 4 }),
        meta: fc.dictionary(fc.string({ maxLength: 2 }), fc.nat(3)),
      },
      { requiredKeys: [] },
    )
    .map(({ analysis, ...members }) => {
      const count = members.dialog?.length ?? 0;
      const pointing = analysis?.map((one, at) => (count > 0 ? { ...one, dialog: at % count } : one));
      return vcon(pointing ? { ...members, analysis: pointing } : members);
    });
  const appended = (base: Vcon, side: string, count: number): Vcon => ({
    ...base,
    dialog: [...(base.dialog ?? []), ...Array.from({ length: count }, (_, at) => text(`${side}${at}`))],
    analysis: [
      ...(base.analysis ?? []),
      ...Array.from({ length: count }, (_, at) => note(`${side}${at}`, { dialog: (base.dialog?.length ?? 0) + at })),
    ],
  });

  test("an edit that did nothing changes nothing", () => {
    fc.assert(
      fc.property(document, document, (base, edit) => {
        expect(mergeVcons({ base, mine: edit, theirs: base })).toEqual({ vcon: edit, findings: [] });
        expect(mergeVcons({ base, mine: base, theirs: edit })).toEqual({ vcon: edit, findings: [] });
        expect(mergeVcons({ base, mine: edit, theirs: edit })).toEqual({ vcon: edit, findings: [] });
      }),
    );
  });

  test("nothing that was appended is lost, and each analysis still points at its own dialog", () => {
    fc.assert(
      fc.property(document, fc.nat(4), fc.nat(4), (base, mine, theirs) => {
        const { vcon: merged, findings } = mergeVcons({
          base,
          mine: appended(base, "m", mine),
          theirs: appended(base, "t", theirs),
        });
        expect(findings).toEqual([]);
        const wanted = [
          ...Array.from({ length: theirs }, (_, at) => `t${at}`),
          ...Array.from({ length: mine }, (_, at) => `m${at}`),
        ];
        const before = base.dialog?.length ?? 0;
        expect(merged.dialog?.slice(before).map(({ body }) => body) ?? []).toEqual(wanted);
        const analyses = merged.analysis?.slice(base.analysis?.length ?? 0) ?? [];
        expect(analyses.map(({ body }) => body)).toEqual(wanted);
        for (const { body, dialog } of analyses)
          expect(typeof dialog === "number" && merged.dialog?.[dialog]?.body).toBe(body);
      }),
    );
  });

  test("merging the result once more with either edit changes nothing", () => {
    fc.assert(
      fc.property(document, fc.nat(3), fc.nat(3), (base, mine, theirs) => {
        const edits = { mine: appended(base, "m", mine), theirs: appended(base, "t", theirs) };
        const { vcon: merged } = mergeVcons({ base, ...edits });
        expect(mergeVcons({ base, mine: merged, theirs: edits.theirs }).vcon).toEqual(merged);
        expect(mergeVcons({ base: edits.theirs, mine: merged, theirs: edits.theirs }).vcon).toEqual(merged);
      }),
    );
  });

  test("any three documents merge: mine wins, no index leads nowhere, and nothing is mutated", () => {
    fc.assert(
      fc.property(document, document, document, (base, mine, theirs) => {
        const before = JSON.stringify([base, mine, theirs]);
        const { vcon: merged } = mergeVcons({ base, mine, theirs });
        expect(JSON.stringify([base, mine, theirs])).toBe(before);
        expect(merged.uuid).toBe(UUID);
        if (!deepEqual(mine.subject, base.subject)) expect(merged.subject).toEqual(mine.subject);
        const inRange = (one: Vcon) =>
          one.analysis?.every(({ dialog }) => typeof dialog !== "number" || dialog < (one.dialog?.length ?? 0)) ?? true;
        expect(inRange(merged)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
