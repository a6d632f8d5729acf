import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";

/** What a server keeps of a password (RFC 5802 section 3). */
export interface Verifier {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** A sign-in by SCRAM-SHA-256 (RFC 7677) after the client's first message. */
export interface Conversation {
  readonly user: string;
  /** The server's first message. */
  readonly challenge: string;
  /** The server's last message, or `undefined` when the client does not know the password. */
  finish(clientFinal: string): string | undefined;
}

const ITERATIONS = 4_096;

/** Keeps a password the way the server does. */
export function verifierOf(password: string, salt: Buffer = randomBytes(28)): Verifier {
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, ITERATIONS, 32, "sha256");
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest();
  return { salt, iterations: ITERATIONS, storedKey, serverKey: hmac(salted, "Server Key") };
}

/** Answers a client's first message; `undefined` when it is none or its user is unknown. */
export function beginScram(
  clientFirst: string,
  users: ReadonlyMap<string, Verifier>,
  nonce: string = randomBytes(24).toString("base64"),
): Conversation | undefined {
  const [, bare = "", name = "", clientNonce = ""] = /^n,[^,]*,(n=([^,]*),r=([^,]+).*)$/.exec(clientFirst) ?? [];
  const user = name.replaceAll("=2C", ",").replaceAll("=3D", "=");
  const verifier = users.get(user);
  if (!verifier) return undefined;
  const both = clientNonce + nonce;
  const challenge = `r=${both},s=${verifier.salt.toString("base64")},i=${verifier.iterations}`;
  return {
    user,
    challenge,
    finish(clientFinal) {
      const [, withoutProof = "", saidNonce, proof = ""] = /^(c=biws,r=([^,]+)),p=(.+)$/.exec(clientFinal) ?? [];
      const message = `${bare},${challenge},${withoutProof}`;
      const key = xor(Buffer.from(proof, "base64"), hmac(verifier.storedKey, message));
      const known = timingSafeEqual(createHash("sha256").update(key).digest(), verifier.storedKey);
      return known && saidNonce === both ? `v=${hmac(verifier.serverKey, message).toString("base64")}` : undefined;
    },
  };
}

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

const xor = (one: Buffer, other: Buffer): Buffer => Buffer.from(other.map((byte, at) => byte ^ (one[at] ?? 0)));
