import { expect, test } from "vitest";
import { causesOf, VconError } from "./vcon-error.ts";

test("messages and causes show what a terminal would obey, and keep their lines", () => {
  const cause = new Error("line\nnext\u001b[2J");
  const error = new VconError("VCON_SERVICE_REFUSED", "No: \u009b2J\u007f\u0085\u2028é", { cause });
  expect(error.message).toBe("No: \\u009b2J\\u007f\\u0085\\u2028é");
  expect(causesOf(error)).toEqual([error.message, "line\nnext\\u001b[2J"]);
});

test.each([
  ["\u202e", "right-to-left override"],
  ["\u202a", "left-to-right embedding"],
  ["\u2066", "left-to-right isolate"],
  ["\u2069", "end of an isolate"],
  ["\u200e", "left-to-right mark"],
  ["\u200f", "right-to-left mark"],
  ["\u061c", "Arabic letter mark"],
  ["\u200b", "blank without width"],
  ["\u2060", "word joiner"],
  ["\ufeff", "byte order mark"],
  ["\u00ad", "soft hyphen"],
  ["\u{e0041}", "tag"],
])("%j, a %s, is shown in messages", (mark) => {
  const escapes = JSON.stringify([...Array(mark.length).keys()].map((at) => mark.charCodeAt(at)));
  const { message } = new VconError("VCON_SERVICE_REFUSED", `user ${mark}nimda`);
  expect(message).not.toContain(mark);
  expect(JSON.stringify([...message.matchAll(/\\u([0-9a-f]{4})/g)].map(([, hex]) => Number.parseInt(hex!, 16)))).toBe(
    escapes,
  );
});

test("what texts need to be read stays as it is", () => {
  const text =
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u{1f468}\u200d\u{1f469}\u200d\u{1f467} na\u00efve \u0928\u094d\u200d";
  expect(new VconError("VCON_SERVICE_REFUSED", text).message).toBe(text);
});
