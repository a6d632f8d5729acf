import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  documentKeys,
  dueKey,
  dueMember,
  isKeySafe,
  keysInOrder,
  listKeys,
  readDueMember,
  SHARDS,
  stagingKey,
} from "./keys.ts";

/** What Redis hashes of a key: the text in the first braces that hold any, else all of it. */
const hashed = (key: string): string => /\{([^}]+)\}/.exec(key)?.[1] ?? key;

const name = fc.stringMatching(/^[A-Za-z0-9:_.-]{1,40}$/);

describe("keys", () => {
  test("all keys of a list are in its slot", () => {
    fc.assert(
      fc.property(name, (list) => {
        expect(new Set(Object.values(listKeys(list)).map(hashed))).toEqual(new Set([list]));
      }),
    );
  });

  test("all keys of a document are in its slot, whatever the entry is called", () => {
    fc.assert(
      fc.property(name, name, fc.nat(), (uuid, entry, token) => {
        const keys = [...Object.values(documentKeys(uuid)), ...keysInOrder(uuid), stagingKey(uuid, entry, token)];
        expect(new Set(keys.map(hashed))).toEqual(new Set([`vcon:${uuid}`]));
      }),
    );
  });

  test("only names that cannot carry braces become keys of a document", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => !isKeySafe(text) || /^[\w:.-]+$/.test(text)));
    expect(isKeySafe("018f3a5e-0000-8000-8000-000000000001")).toBe(true);
    expect(["", "a b", "{a}", "a\n", "ä"].some(isKeySafe)).toBe(false);
  });

  test("a due delivery is read back, whatever the storage is called", () => {
    fc.assert(
      fc.property(name, fc.string({ unit: "grapheme" }), (uuid, storage) => {
        expect(readDueMember(dueMember(uuid, storage))).toEqual({ uuid, storage });
      }),
    );
  });

  test("uuids that share their first and last bits spread over all shards", () => {
    const shards = new Set(
      Array.from({ length: 500 }, (_, n) => dueKey(`018f3a5e-0000-8000-8000-${String(n).padStart(12, "0")}`)),
    );
    expect(shards.size).toBe(SHARDS);
  });
});
