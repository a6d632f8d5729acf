import { stored } from "@vcon-server/core/testing";
import { parseVcon, toBytes } from "@vcon-server/vcon";
import fc from "fast-check";
import { expect, test } from "vitest";
import { batches, type Operation } from "./bulk.ts";
import { jsonIn, jsonMember, wholeSource } from "./whole.ts";

const uuid = "018f4ff2-1d2a-8b3c-9d4e-5f60718293a4";

test("a very long text is kept in pieces that are whole characters, and is one again when read", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 9 }), (subject, longest) => {
      const vcon = parseVcon(JSON.stringify({ uuid, subject }));
      const member = jsonMember(toBytes(vcon), longest);
      for (const piece of [JSON.parse(member)].flat()) {
        expect(piece.isWellFormed()).toBe(true);
        expect(piece.length).toBeLessThanOrEqual(longest);
      }
      const source = wholeSource(stored(vcon), { vcon_id: uuid }, member)({ parts: [], refused: [] });
      expect(parseVcon(jsonIn(JSON.parse(source)))).toEqual(vcon);
    }),
  );
});

test("batches keep the order and the limit; what is larger goes alone", () => {
  const operations = fc.array(
    fc.record({
      uuid: fc.constant(uuid),
      index: fc.constant("i"),
      id: fc.uuid(),
      source: fc.string({ maxLength: 900 }),
    }),
  );
  fc.assert(
    fc.property(operations, fc.integer({ min: 200, max: 2_000 }), (all, max) => {
      const sent = batches(all, max);
      expect(sent.flat()).toEqual(all);
      for (const batch of sent) {
        expect(batch.length).toBeGreaterThan(0);
        if (batch.length > 1) expect(sizeOf(batch)).toBeLessThanOrEqual(max);
      }
    }),
  );
});

const sizeOf = (batch: readonly Operation[]): number =>
  batch.reduce(
    (sum, { index, id, source = "" }) =>
      sum + Buffer.byteLength(JSON.stringify({ index: { _index: index, _id: id } })) + Buffer.byteLength(source) + 2,
    0,
  );
