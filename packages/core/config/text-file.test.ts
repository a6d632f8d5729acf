import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeText } from "./text-file.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

test("every text that is UTF-8 is read as it is, with a byte order mark or without", () => {
  // texts for people: U+0000 is no letter, and U+FEFF in front is a mark
  const texts = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0") && !text.startsWith("\uFEFF"));
  fc.assert(
    fc.property(texts, (text) => {
      expect(decodeText(Buffer.from(text))).toEqual({ text });
      expect(decodeText(Buffer.from(`\uFEFF${text}`))).toEqual({ text });
    }),
  );
});

test("the first byte that is none of UTF-8 is found, however long the text before it is", () => {
  const line = fc.string().map((text) => text.replaceAll(/[\n\0]/g, " "));
  fc.assert(
    fc.property(fc.array(line), line, line, (lines, before, after) => {
      const sound = Buffer.from([...lines, before].join("\n"));
      const { fault } = decodeText(Buffer.concat([sound, latin1("é"), Buffer.from(` ${after}`)]));
      expect(fault).toMatchObject({ line: lines.length + 1, col: before.length + 1 });
    }),
  );
});

test("UTF-16 is told as such in both byte orders, with and without a mark", () => {
  for (const text of ["chains: {}", "\uFEFFchains: {}"]) {
    const little = Buffer.from(text, "utf16le");
    for (const bytes of [little, Buffer.from(little).swap16()]) {
      expect(decodeText(bytes)).toEqual({
        text: "chains: {}",
        fault: { line: 1, col: 1, message: "the file is UTF-16, not UTF-8", remedy: "save it as UTF-8" },
      });
    }
  }
});

test("a letter that is cut off at the end is a fault too", () => {
  const cut = Buffer.from("a\nbé").subarray(0, 4);
  expect(decodeText(cut).fault).toMatchObject({ line: 2, col: 2, message: "the file is not UTF-8 from here on" });
});
