import fc from "fast-check";
import { expect, test } from "vitest";
import { isBase64url } from "./base64url.ts";
import { decodeBase64, encodeBase64url } from "./index.ts";

test("bytes come back from every way of writing them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = encodeBase64url(bytes);
      expect(text).toBe(Buffer.from(bytes).toString("base64url"));
      expect(isBase64url(text)).toBe(true);
      const standard = Buffer.from(bytes).toString("base64");
      for (const written of [text, standard, standard.replaceAll(/.{4}/g, "$&\r\n"), `${standard}\n`]) {
        expect(decodeBase64(written)).toEqual(new Uint8Array(bytes));
      }
    }),
  );
});

test.each(["a", "abcde", "a b*", "äöü", "ab=c"])("%j is refused", (text) => expect(decodeBase64(text)).toBeUndefined());

test.each(["abc=", "ab+/", "abcde", "ab c"])("%j is not what the draft wants", (text) =>
  expect(isBase64url(text)).toBe(false),
);
