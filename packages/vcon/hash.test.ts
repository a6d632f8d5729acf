import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { contentHash, type Digest, sha256Hex, verifyContentHash } from "./index.ts";

test("hashes are those of any other implementation", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(contentHash(bytes)).toBe(`sha512-${createHash("sha512").update(bytes).digest("base64url")}`);
      expect(contentHash(bytes)).toHaveLength(93);
      expect(sha256Hex(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
    }),
  );
  expect(sha256Hex("vCon é")).toBe(createHash("sha256").update("vCon é").digest("hex"));
});

test("a digest that is given is used, and says the same", () => {
  const used: string[] = [];
  const digest: Digest = (algorithm, bytes) => {
    used.push(algorithm);
    return createHash(algorithm).update(bytes).digest();
  };
  const bytes = new TextEncoder().encode("hello");
  expect(contentHash(bytes, "sha384", digest)).toBe(contentHash(bytes, "sha384"));
  expect(verifyContentHash(bytes, [contentHash(bytes), contentHash(bytes, "sha256")], digest)).toBe(true);
  expect(used).toEqual(["sha384", "sha512", "sha256"]);
});

test("a list agrees when every known algorithm does, and at least one is known", () => {
  const bytes = new TextEncoder().encode("hello");
  const good = contentHash(bytes);
  const short = contentHash(bytes, "sha256");
  expect(verifyContentHash(bytes, good)).toBe(true);
  expect(verifyContentHash(bytes, [good, short, "blake3-abc"])).toBe(true);
  expect(verifyContentHash(bytes, [good, contentHash(new Uint8Array(), "sha256")])).toBe(false);
  expect(verifyContentHash(bytes, ["blake3-abc"])).toBe(false);
  expect(verifyContentHash(bytes, [])).toBe(false);
  expect(verifyContentHash(new Uint8Array(), good)).toBe(false);
  expect(verifyContentHash(bytes, "constructor-abc")).toBe(false);
});
