import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitLines } from "./lines.ts";

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function linesOf(text: string, sizes: readonly number[] = [], max = 1000) {
  const lines: { number: number; text: string | undefined }[] = [];
  for await (const { number, bytes } of splitLines(cut(Buffer.from(text), sizes), max)) {
    lines.push({ number, text: bytes?.toString() });
  }
  return lines;
}

describe("splitLines", () => {
  test("numbers lines from 1, blank ones included, and leaves blank ones out", async () => {
    expect(await linesOf('{"a":1}\n\r\n \t\n{"b":2}\r\n{"c":3}')).toEqual([
      { number: 1, text: '{"a":1}' },
      { number: 4, text: '{"b":2}\r' },
      { number: 5, text: '{"c":3}' },
    ]);
  });

  test("a line that is too long comes without bytes, and the next one is whole", async () => {
    expect(await linesOf(`${"x".repeat(11)}\nshort\n`, [3], 10)).toEqual([
      { number: 1, text: undefined },
      { number: 2, text: "short" },
    ]);
  });

  test("gives the same lines however the text is cut into chunks", async () => {
    const line = fc.string({ unit: fc.constantFrom("a", "é", "𝄞", " ", "\r"), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.integer({ min: 1, max: 7 })), async (texts, sizes) => {
        const text = texts.join("\n");
        expect(await linesOf(text, sizes, 20)).toEqual(await linesOf(text, [], 20));
      }),
    );
  });
});
