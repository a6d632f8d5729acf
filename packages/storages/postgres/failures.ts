import { VconError } from "@vcon-server/core";

/** SQLSTATE classes that say the document is at fault: data, constraints, limits of the server's types. */
const REFUSALS = ["22", "23", "54"];

const REMEDIES: Readonly<Record<string, string>> = {
  "08": "the connection broke; it is made again",
  "28": "check user and password",
  "3D": "create the database",
  "42501": "grant the user what it needs on the table",
  "42P01": "the table is gone; it is made again",
  "25006": "the server only reads: it may be a standby; it is tried again",
  "53100": "the disk of the database server is full; it goes on by itself when there is room",
  "53300": "the database server has no connection to spare: raise its max_connections or lower pool_size",
  "57": "the database server is shutting down or starting; it is tried again",
};

/**
 * A failed call as a coded error. What the server says against the document is a refusal; everything else passes when
 * somebody puts the server, its rights or its table right.
 */
export function postgresFailure(doing: string, cause: unknown): VconError {
  if (cause instanceof VconError) return cause;
  const facts = factsOf(cause);
  const message = messageOf(cause);
  const state = facts["sqlstate"];
  if (state !== undefined && REFUSALS.includes(state.slice(0, 2))) {
    return new VconError("VCON_STORAGE_REFUSED", `${doing}: PostgreSQL refuses: ${message}`, { cause, details: facts });
  }
  const remedy = state === undefined ? "it is tried again" : (REMEDIES[state] ?? REMEDIES[state.slice(0, 2)]);
  return new VconError("VCON_STORAGE_DOWN", `${doing}: ${message}${remedy === undefined ? "" : `; ${remedy}`}`, {
    cause,
    details: facts,
  });
}

/** What an error of the server says besides its message, without the row it shows in its detail. */
function factsOf(error: unknown): Readonly<Record<string, string>> {
  const isReply = error instanceof Error && "severity" in error;
  if (!isReply) return {};
  const named = { sqlstate: "code", table: "table", column: "column", constraint: "constraint" };
  const facts = Object.entries(named).map(([name, member]) => [name, Reflect.get(error, member)] as const);
  return Object.fromEntries(facts.filter((fact): fact is [string, string] => typeof fact[1] === "string"));
}

/** The message; for an address with several IPs, that of the first one that failed. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
