import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson, problemOf } from "./json.ts";
import { soundJson, withSoundText } from "./sound.ts";
import { parseVcon } from "./stored.ts";

const before = parseVcon(
  JSON.stringify({ uuid: "01a088b7-7e9e-8501-9c23-b79d96f1a1ba", created_at: "2026-09-14T08:30:00Z", parties: [{}] }),
);
const nested = (levels: number): unknown => {
  let value: unknown = "deep";
  for (let at = 0; at < levels; at++) value = [value];
  return value;
};

describe("text of any kind", () => {
  test("becomes text that is accepted, and stays as it is where it was", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const sound = soundJson(value);
        expect(problemOf(sound)).toBeUndefined();
        if (problemOf(value) === undefined) expect(sound).toBe(value);
        else expect(parseJson(JSON.stringify(sound))).toMatchObject({ ok: true });
      }),
    );
  });

  test("what databases cannot hold is U+FFFD, in names too", () => {
    expect(soundJson({ "a\0": ["b\0c", "\ud800 d", { e: "f" }], g: 1 })).toEqual({
      "a\uFFFD": ["b\uFFFDc", "\uFFFD d", { e: "f" }],
      g: 1,
    });
  });
});

test("only what is new is looked at: the rest is the very same object", () => {
  const dialog = Object.freeze([{ type: "text", body: "old \0" } as const]);
  const old = { ...before, dialog };
  expect(withSoundText(old, old)).toBe(old);
  const added = { ...old, analysis: [{ type: "summary", body: "new \0" }] };
  expect(withSoundText(added, old)).toEqual({ ...old, analysis: [{ type: "summary", body: "new \uFFFD" }] });
  expect(withSoundText(added, old)?.dialog).toBe(dialog);
  const clean = { ...old, subject: "S" };
  expect(withSoundText(clean, old)).toBe(clean);
});

test("numbers of any size survive", () => {
  const parsed = parseJson('{"n":12345678901234567890,"t":"a"}');
  if (!parsed.ok) throw new Error("no JSON");
  expect(JSON.stringify(soundJson({ x: parsed.value, y: "\0" }))).toContain("12345678901234567890");
});

test("what is nested deeper than is read back has no sound form, circles included", () => {
  expect(soundJson(nested(200))).toBeDefined();
  expect(soundJson(nested(201))).toBeUndefined();
  expect(soundJson(JSON.parse("[".repeat(100_000) + "]".repeat(100_000)))).toBeUndefined();
  const circle: { self?: unknown } = {};
  circle.self = circle;
  expect(withSoundText({ ...before, circle }, before)).toBeUndefined();
});
