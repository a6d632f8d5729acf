import { VconError } from "@vcon-server/core";
import type { Facts } from "./table.ts";

/** Circumstances of a failed call. */
export interface Situation {
  /** Action that failed, such as `saving <uuid>`. */
  readonly doing: string;
  /** The table as statements name it. */
  readonly table: string;
  /** True while the table is still being looked for or made. */
  readonly isMaking: boolean;
  /** Facts the server last reported about itself. */
  readonly facts: Facts | undefined;
}

/** SQLSTATE classes that say the document is at fault: data, constraints, limits of the server's types. */
const REFUSALS = ["22", "23", "54"];

type Remedy = string | ((situation: Situation) => string);

/** Remedies by SQLSTATE or by class of SQLSTATE. */
const REMEDIES: Readonly<Record<string, Remedy>> = {
  "08": "the connection broke; it is made again",
  "08P01":
    "this comes from a connection pooler such as PgBouncer, or from something that is not PostgreSQL; it is tried again",
  "22P05": ({ facts }) =>
    `the database is encoded in ${facts?.encoding ?? "something else than UTF8"} and cannot hold this character: ${MOVE_TO_UTF8}, then reprocess the dead letter`,
  "23502": "the table has a column that this storage does not fill: give it a default",
  "28": "check user and password",
  "3D": "create the database",
  "3F000": createSchema,
  "42501": grantRights,
  "42703": nameColumns,
  "42804": nameColumns,
  "42P01": "the table is gone; it is made again",
  "42P10": "the table needs a primary key or unique index on id",
  "25006": explainReadOnly,
  "53100": "the disk of the database server is full; it goes on by itself when there is room",
  "53300": "the database server has no connection to spare: raise its max_connections or lower pool_size",
  "55P03": "another session holds a lock for longer than lock_timeout allows; it is tried again",
  "57014":
    "the server ended the statement: it took longer than statement_timeout allows (raise it with ALTER ROLE … SET statement_timeout), or an administrator cancelled it; it is tried again",
  "57P04": "the database was dropped: create it again",
  "57": "the database server is shutting down or starting; it is tried again",
};

const MOVE_TO_UTF8 = "make a database with ENCODING 'UTF8' and move the table there (pg_dump, psql)";

/** Says why a server only reads, and what to do. */
export function explainReadOnly({ facts }: Pick<Situation, "facts">): string {
  if (facts?.standby === true)
    return "the server is a standby, which only reads: name the primary in host or url; it is tried again";
  if (facts?.read_only === true)
    return "default_transaction_read_only is on for this user, database or server: switch it off (hosting providers switch it on when the disk is nearly full); it is tried again";
  return "the server only reads: it may be a standby, or default_transaction_read_only is on; it is tried again";
}

/** Says what a database that cannot hold every character means; `undefined` when it can. */
export function explainEncoding({ encoding }: Facts): string | undefined {
  // SQL_ASCII keeps bytes as they come
  if (["UTF8", "SQL_ASCII"].includes(encoding)) return undefined;
  return `the database is encoded in ${encoding}: vCons with characters that it lacks are refused; ${MOVE_TO_UTF8}`;
}

const quoteName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

const roleName = ({ facts }: Situation): string => (facts ? quoteName(facts.role) : "the user");

const schemaName = ({ table, facts }: Situation): string | undefined =>
  table.includes(".") ? table.split(".")[0] : (facts?.schema ?? undefined);

function grantRights(situation: Situation): string {
  const { table, isMaking } = situation;
  const [role, schema] = [roleName(situation), schemaName(situation)];
  if (!isMaking) return `GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${role}; it is tried again`;
  const grant =
    schema === undefined ? "allow the user to create tables" : `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role}`;
  return `${grant}, or make the table ${table} as another user (its statement stands in the README of this storage) and grant ${role} SELECT, INSERT, UPDATE and DELETE on it, or name a table of another schema as table_name; it is tried again`;
}

function createSchema(situation: Situation): string {
  const { table } = situation;
  const role = roleName(situation);
  if (table.includes("."))
    return `CREATE SCHEMA ${schemaName(situation)} AUTHORIZATION ${role}, or correct table_name; it is tried again`;
  return `the search_path of ${role} names no schema that exists and may be used: name the table with its schema as table_name, such as public.${table.replaceAll('"', "")}, or ALTER ROLE ${role} SET search_path = public; it is tried again`;
}

function nameColumns({ table }: Situation): string {
  return `${table} is not a table of this storage: name another one as table_name, or give it the columns that the README of this storage names; it is tried again`;
}

/**
 * A failed call as a coded error. What the server says against the document is a refusal; everything else passes when
 * the server, its rights or its table is put right.
 */
export function postgresFailure(cause: unknown, situation: Situation): VconError {
  if (cause instanceof VconError) return cause;
  const details = readDetails(cause);
  const state = readSqlState(cause);
  const known = state === undefined ? undefined : (REMEDIES[state] ?? REMEDIES[state.slice(0, 2)]);
  const remedy = typeof known === "function" ? known(situation) : known;
  const isRefused = state !== undefined && REFUSALS.includes(state.slice(0, 2));
  const doing =
    situation.isMaking && state !== undefined
      ? `${situation.doing}: preparing the table ${situation.table}`
      : situation.doing;
  const said = `${isRefused ? "PostgreSQL refuses: " : ""}${readMessage(cause)}`;
  const advice = remedy ?? (isRefused ? undefined : "it is tried again");
  const message = `${doing}: ${said}${advice === undefined ? "" : `; ${advice}`}`;
  return new VconError(isRefused ? "VCON_STORAGE_REFUSED" : "VCON_STORAGE_DOWN", message, { cause, details });
}

/** The SQLSTATE of an answer of the server; `undefined` when it did not answer. */
export function readSqlState(error: unknown): string | undefined {
  const isReply = error instanceof Error && "severity" in error && "code" in error;
  return isReply && typeof error.code === "string" ? error.code : undefined;
}

/** What an error of the server says besides its message, without the row it shows in its detail. */
function readDetails(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof Error) || readSqlState(error) === undefined) return {};
  const named = { sqlstate: "code", table: "table", column: "column", constraint: "constraint" };
  const facts = Object.entries(named).map(([name, member]) => [name, Reflect.get(error, member)] as const);
  return Object.fromEntries(facts.filter((fact): fact is [string, string] => typeof fact[1] === "string"));
}

/** The message; for an address with several IPs, that of the first one that failed. */
function readMessage(error: unknown): string {
  if (error instanceof AggregateError) return readMessage(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
