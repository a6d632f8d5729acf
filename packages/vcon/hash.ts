import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { encodeBase64url } from "./base64url.ts";

const ALGORITHMS = { sha256, sha384, sha512 } as const;
export type HashAlgorithm = keyof typeof ALGORITHMS;

/** Computes a digest; where there is a faster one than this package's own, it can be given. */
export type Digest = (algorithm: HashAlgorithm, bytes: Uint8Array) => Uint8Array;

const ownDigest: Digest = (algorithm, bytes) => ALGORITHMS[algorithm](bytes);

/** The content hash of a file as core-04 section 2.4 writes it: algorithm, hyphen, base64url digest without padding. */
export const contentHash = (
  bytes: Uint8Array,
  algorithm: HashAlgorithm = "sha512",
  digest: Digest = ownDigest,
): string => `${algorithm}-${encodeBase64url(digest(algorithm, bytes))}`;

/**
 * Whether the bytes are what the hash, or the list of hashes with different algorithms, says.
 * At least one algorithm must be known, and every known one must agree.
 */
export function verifyContentHash(
  bytes: Uint8Array,
  hashes: string | readonly string[],
  digest: Digest = ownDigest,
): boolean {
  const known = (typeof hashes === "string" ? [hashes] : hashes).flatMap((hash) => {
    const algorithm = hash.slice(0, hash.indexOf("-"));
    return isAlgorithm(algorithm) ? [{ hash, algorithm }] : [];
  });
  return (
    known.length > 0 &&
    known.every(({ hash, algorithm }) => contentHash(bytes, algorithm, digest) === hash.replace(/=+$/, ""))
  );
}

/** SHA-256 in lower-case hex of bytes, or of a text as UTF-8. */
export const sha256Hex = (content: Uint8Array | string): string =>
  bytesToHex(sha256(typeof content === "string" ? utf8ToBytes(content) : content));

const isAlgorithm = (name: string): name is HashAlgorithm => Object.hasOwn(ALGORITHMS, name);
