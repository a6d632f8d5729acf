import type { DatabaseSync } from "node:sqlite";
import type { VconError } from "@vcon-server/core";
import type { Commits } from "../store/commits.ts";
import { codedError } from "../store/failures.ts";

/** One request and where its answer goes. */
export interface Work {
  readonly name: string;
  /** Changes nothing. */
  readonly reads: boolean;
  run(): unknown;
  answer(result: Result): void;
}

/** An open database, and the count of its commits. */
export interface Database {
  readonly db: DatabaseSync;
  readonly commits: Pick<Commits, "count" | "acknowledge">;
}

export type Result = { readonly value: unknown } | { readonly error: VconError };

/**
 * Runs what arrived together as one transaction and answers after its commit: one fsync for all. A request that fails
 * is undone alone. When the transaction as a whole fails, each request gets a transaction of its own, so that the one
 * there is no room for does not take its neighbours along.
 */
export function runGroup(on: Database, works: readonly Work[]): void {
  const answers = works.every((work) => work.reads) ? works.map(attempt) : commitTogether(on, works);
  for (const [n, work] of works.entries()) work.answer(answers[n] ?? attempt(work));
}

function commitTogether(on: Database, works: readonly Work[]): Result[] {
  const together = transaction(on, works);
  if (Array.isArray(together)) return together;
  if (works.length === 1) return [{ error: together }];
  return works.map((work) => {
    if (work.reads) return attempt(work);
    const alone = transaction(on, [work]);
    return Array.isArray(alone) && alone[0] !== undefined
      ? alone[0]
      : { error: Array.isArray(alone) ? together : alone };
  });
}

/** The results in order, or why nothing of it was committed. */
function transaction({ db, commits }: Database, works: readonly Work[]): Result[] | VconError {
  try {
    db.exec("BEGIN");
    const results: Result[] = [];
    for (const work of works) {
      // alone, it may fail the transaction: there is nobody else in it
      const result = works.length === 1 ? { value: work.run() } : work.reads ? attempt(work) : savepoint(db, work);
      // SQLite rolls everything back by itself on some failures of the disk
      if (!db.isTransaction) return failureOf(result);
      results.push(result);
    }
    commits.count();
    db.exec("COMMIT");
    commits.acknowledge();
    return results;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    return codedError(error, works.length === 1 ? (works[0]?.name ?? "") : "committing");
  }
}

function savepoint(db: DatabaseSync, work: Work): Result {
  db.exec("SAVEPOINT request");
  const result = attempt(work);
  if (!db.isTransaction) return result;
  if ("error" in result) db.exec("ROLLBACK TO request");
  db.exec("RELEASE request");
  return result;
}

function failureOf(result: Result): VconError {
  return "error" in result ? result.error : codedError(new Error("the transaction ended too early"), "committing");
}

export function attempt(work: Work): Result {
  try {
    return { value: work.run() };
  } catch (error) {
    return { error: codedError(error, work.name) };
  }
}
