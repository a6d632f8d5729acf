import { VconError } from "@vcon-server/core";
import { z } from "zod";

/** The status in an answer, or an answer that is one. */
const Status = z.looseObject({
  error_code: z.union([z.string(), z.number()]),
  code: z.number().default(0),
  reason: z.string().default(""),
});
const Answer = z.union([z.looseObject({ status: Status }).transform(({ status }) => status), Status]);

/** An answer other than success. */
class Refused extends Error {
  readonly code: number;
  readonly legacy: string;

  constructor({ code, error_code, reason }: z.output<typeof Status>) {
    super(reason || `it answers ${error_code}`);
    this.code = code;
    this.legacy = String(error_code);
  }
}

/** What is wrong according to an answer; the client throws some of these as they are and returns the others. */
export function refusalIn(answer: unknown): Error | undefined {
  const { success, data } = Answer.safeParse(answer);
  if (!success) return new Error(NO_MILVUS);
  const fine = data.code === 0 && ["Success", "0"].includes(String(data.error_code));
  return fine ? undefined : new Refused(data);
}

const NO_MILVUS = "what answers there is no Milvus server: check the address";
const LATER = "it is tried again";
const CREDENTIALS = "check username and password, or token";
const RIGHTS = "grant the user what it needs on the collection";

/** What to do about the codes of Milvus. */
const REMEDIES: Readonly<Record<number, string>> = {
  3: "its memory is full: make room or give it more",
  7: "its disk is full: make room or give it more",
  8: "its rate limit is reached; it is tried again",
  9: "its quota is used up or writing is switched off: make room, or allow it again",
  100: "the collection is gone: create it, or set create_collection_if_missing",
  101: "the collection is loaded again",
  103: "the collection is being loaded; it is tried again",
  109: "its schema has changed; it is looked at again",
  700: "create an index on embedding, or set create_collection_if_missing",
  800: "create the database, or correct db_name",
  1400: CREDENTIALS,
  1401: RIGHTS,
  1800: CREDENTIALS,
};

/** What to do about the codes of gRPC. */
const TRANSPORT: Readonly<Record<number, string>> = { 7: RIGHTS, 16: CREDENTIALS };

/** A failed call as a coded error: everything passes when somebody puts the server or the options right. */
export function milvusFailure(doing: string, error: unknown, secrets: readonly string[]): VconError {
  if (error instanceof VconError) return error;
  const cause = error instanceof Error ? error : (refusalIn(error) ?? new Error("it failed without saying why"));
  // old releases repeat a wrong password
  const said = secrets.reduce((text, secret) => text.replaceAll(secret, "***"), messageOf(cause));
  const grpc = grpcCodeOf(cause);
  const remedy = cause instanceof Refused ? REMEDIES[cause.code] : TRANSPORT[grpc ?? 0];
  const details = cause instanceof Refused ? { milvus: cause.code, name: cause.legacy } : { ...(grpc && { grpc }) };
  return new VconError("VCON_STORAGE_DOWN", `${doing}: ${said}; ${remedy ?? LATER}`, {
    details,
    ...(said === messageOf(cause) && { cause }),
  });
}

/** The client looks into answers that are none, and says only where it stumbled. */
const messageOf = (cause: Error): string => (cause instanceof TypeError ? NO_MILVUS : cause.message);

/** Whether a call failed because there is no such collection. */
export const isMissing = (error: unknown): boolean =>
  error instanceof VconError && (error.details["milvus"] === 100 || error.details["name"] === "CollectionNotExists");

/** Whether there is no index. */
export const isUnindexed = (error: unknown): boolean =>
  error instanceof VconError && (error.details["milvus"] === 700 || error.details["name"] === "IndexNotExist");

/** Whether Milvus finds fault with what it was given. */
export const isInvalid = (error: unknown): boolean => error instanceof VconError && error.details["milvus"] === 1100;

function grpcCodeOf(error: Error): number | undefined {
  return "code" in error && typeof error.code === "number" ? error.code : undefined;
}
