import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Logger } from "@vcon-server/core";
import type { Leases } from "./leases.ts";

/** A prepared statement whose rows have the shape the SQL text selects. */
export interface Statement<Row> {
  get(...values: SQLInputValue[]): Row | undefined;
  all(...values: SQLInputValue[]): Row[];
  /** Number of rows changed. */
  run(...values: SQLInputValue[]): number;
  /** Runs an INSERT and tells the number of the new row. */
  insert(...values: SQLInputValue[]): number;
}

/** What every operation of the store works with. Operations are synchronous and run inside a transaction. */
export interface Store {
  readonly db: DatabaseSync;
  /** The statement of this text, prepared once. */
  sql<Row = Record<string, never>>(text: string): Statement<Row>;
  /** Notes that this many more entries wait in a list; written by `writeCounts` in the same transaction. */
  count(list: string, more: number): void;
  /** How the depths changed since the last call; the caller writes it or, when the request failed, drops it. */
  takeCounts(): ReadonlyMap<string, number>;
  /** Milliseconds since 1970; never goes backwards while the owner lives. */
  now(): number;
  readonly leases: Leases;
  /** Lists that may have got work, and the nearest due time of a delayed entry: told to the waiting clients after commit. */
  readonly news: { readonly lists: Set<string>; due: number };
  /** Uses of lists that are written down already. */
  readonly noted: Set<string>;
  readonly log: Logger;
}

/** The access to one open database. */
export function createStore(options: Omit<Store, "sql" | "news" | "noted" | "count" | "takeCounts">): Store {
  const statements = new Map<string, Statement<unknown>>();
  const prepare = (text: string): Statement<unknown> => {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const prepared = options.db.prepare(text);
    const made: Statement<unknown> = {
      get: (...values) => prepared.get(...values),
      all: (...values) => prepared.all(...values),
      run: (...values) => Number(prepared.run(...values).changes),
      insert: (...values) => Number(prepared.run(...values).lastInsertRowid),
    };
    statements.set(text, made);
    return made;
  };
  let counts = new Map<string, number>();
  return {
    ...options,
    noted: new Set(),
    count: (list, more) => void counts.set(list, (counts.get(list) ?? 0) + more),
    takeCounts() {
      const taken = counts;
      counts = new Map();
      return taken;
    },
    // rows are outside data: the text of the statement is what gives them their shape
    sql: <Row>(text: string) => prepare(text) as Statement<Row>,
    news: { lists: new Set(), due: Number.POSITIVE_INFINITY },
  };
}
