import { VconError } from "@vcon-server/core";
import type { VconUuid } from "@vcon-server/vcon";

/** Codes that say the document is at fault: its size, its nesting, a name in it, a rule or a unique index of the collection. */
const REFUSALS = new Set([15, 22, 52, 57, 121, 10334, 11000, 17280, 17419, 17420, 7655103]);

/** What to do about a document that is too large. */
export const TOO_LARGE_REMEDY =
  "MongoDB keeps documents of up to 16 MiB (16777216 bytes); keep recordings outside the vCon (url) or use another storage for large ones";

/** Explains the refusal of a member that only reads, with its remedy. */
export const NOT_PRIMARY =
  "the server only reads: it is no primary; name all members of the replica set in url, without directConnection; it is tried again";

const REMEDIES: Readonly<Record<number, string>> = {
  ...Object.fromEntries([10334, 17419, 17420, 7655103].map((code) => [code, TOO_LARGE_REMEDY])),
  10107: NOT_PRIMARY,
  13435: NOT_PRIMARY,
  50: "the server ended it: it took longer than the server's time limit; it is tried again",
  13: "grant the user the role readWrite on the database",
  18: "check user, password and authSource in url",
  20: "add retryWrites=false to url: the server cannot repeat writes",
  64: "too few members of the replica set confirm writes",
  100: "the replica set has too few members for the w of url",
  121: "it breaks the validation rules of the collection",
  301: "add retryWrites=false to url: the server cannot repeat writes",
  8000: "check user, password and authSource in url",
  11000: "another document has the same value in this unique index",
  14031: "the disk of the database server is full; it goes on by itself when there is room",
};

interface Failed {
  readonly code: number | undefined;
  readonly message: string;
}

/**
 * A failed call as a coded error. What the server says against a document is a refusal; everything else passes when
 * somebody puts the server, its rights or the network right.
 */
export function mongoFailure(doing: string, cause: unknown): VconError {
  if (cause instanceof VconError) return cause;
  const failed = failedOf(cause);
  const refused = isRefusal(failed) || (cause instanceof Error && cause.name.startsWith("BSON"));
  return new VconError(
    refused ? "VCON_STORAGE_REFUSED" : "VCON_STORAGE_DOWN",
    `${doing}: ${refused ? "MongoDB refuses: " : ""}${withRemedy(failed)}`,
    { cause: withoutValues(cause), details: failed.code === undefined ? {} : { mongodb_code: failed.code } },
  );
}

/**
 * A failed batch, with every document that was not saved. One refusal makes it a refusal, so that the others are saved
 * one by one.
 */
export function batchFailure(uuids: readonly VconUuid[], cause: unknown): VconError {
  const doing = `saving ${uuids.length} vCons`;
  const errors = writeErrorsOf(cause).map(({ index, ...failed }) => ({ uuid: uuids[index] ?? "?", ...failed }));
  if (errors.length === 0) return mongoFailure(doing, cause);
  const reasons = errors.map((error) => `${error.uuid} (${withRemedy(error)})`);
  return new VconError(
    errors.some(isRefusal) ? "VCON_STORAGE_REFUSED" : "VCON_STORAGE_DOWN",
    `${doing}: MongoDB did not take ${errors.length} of them: ${reasons.join(", ")}`,
    {
      cause: withoutValues(cause),
      details: { failed: errors.map(({ uuid, code }) => ({ uuid, mongodb_code: code })) },
    },
  );
}

function isRefusal(failed: Failed): boolean {
  return failed.code !== undefined && REFUSALS.has(failed.code) && !isRace(failed);
}

/** Two writers made the same document at once: the second one finds it when it tries again. */
const isRace = ({ code, message }: Failed): boolean => code === 11000 && / index: _id_$/.test(message);

function withRemedy(failed: Failed): string {
  const { code, message } = failed;
  const known = code === undefined || isRace(failed) ? undefined : REMEDIES[code];
  if (known !== undefined) return `${message}; ${known}`;
  if (isRefusal(failed)) return message;
  return `${message}; ${/certificate/i.test(message) ? "name the certificate authority as tls_ca" : "it is tried again"}`;
}

function failedOf(error: unknown): Failed {
  return error instanceof Error
    ? { code: codeOf(error), message: shown(error.message) }
    : { code: undefined, message: String(error) };
}

/** The server's code; of an operation that failed because another one did, the code of that one. */
function codeOf(error: Error): number | undefined {
  const code: unknown = Reflect.get(error, "code");
  if (typeof code === "number") return code;
  return error.cause instanceof Error ? codeOf(error.cause) : undefined;
}

/** Errors of single documents in a batch, by their place in it. */
function writeErrorsOf(error: unknown): (Failed & { readonly index: number })[] {
  const given: unknown = error instanceof Error ? Reflect.get(error, "writeErrors") : undefined;
  const listed: readonly unknown[] = Array.isArray(given) ? given : [given];
  return listed.flatMap((one) => {
    if (typeof one !== "object" || one === null) return [];
    const [index, code, message]: unknown[] = ["index", "code", "errmsg"].map((member) => Reflect.get(one, member));
    return typeof index === "number" && typeof code === "number"
      ? [{ index, code, message: shown(String(message)) }]
      : [];
  });
}

/** The message without the values of the document that a unique index shows. */
const shown = (message: string): string => message.replace(/ dup key: .*/s, "");

/** The cause, unless it shows values of the document in its message: then an error that says the rest of it. */
function withoutValues(cause: unknown): unknown {
  const told = cause instanceof Error && shown(cause.message) !== cause.message;
  return told ? new Error(shown(cause.message)) : cause;
}
