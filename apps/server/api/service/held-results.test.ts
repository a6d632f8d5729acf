import fc from "fast-check";
import { expect, test } from "vitest";
import { holdText } from "./held-results.ts";

async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("whatever is added comes back whole, with its length", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "binary", maxLength: 300 })), async (texts) => {
      const held = holdText();
      for (const text of texts) await held.add(text);
      const { bytes, content } = await held.close();
      const whole = Buffer.from(texts.join("")).toString();
      expect(await textOf(content)).toBe(whole);
      expect(bytes).toBe(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
    }),
  );
});

test("there is an end of its room, and what was added until then is there", async () => {
  const held = holdText(20_000);
  let added = 0;
  while (await held.add(`${Math.random()} ${Math.random()} ${Math.random()}\n`)) added++;
  const { content } = await held.close();
  expect((await textOf(content)).split("\n")).toHaveLength(added + 2);
});
