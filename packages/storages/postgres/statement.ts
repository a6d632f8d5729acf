import { createHash } from "node:crypto";
import type { Logger } from "@vcon-server/core";
import type { PoolClient, QueryResult, QueryResultRow } from "pg";
import { readSqlState } from "./failures.ts";

/** A statement that the server parses once for each connection and then knows by its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * Names a statement after what it says. A pooler hands connections on with the names that others gave: a name that two
 * statements share would run the other one, on the table of another storage.
 */
export const nameStatement = (text: string): Statement => ({
  name: `vcs_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`,
  text,
});

/** Runs statements on connections of one pool. */
export type RunStatement = <Row extends QueryResultRow>(
  client: PoolClient,
  statement: Statement,
  values: readonly unknown[],
) => Promise<QueryResult<Row>>;

/** The server does not know the name, or knows it already. */
const NAME_LOST = ["26000", "42P05"];

/**
 * Runs statements by name until the server answers that it does not know one that was given to it: a pooler in between
 * then shares connections among clients, and names are given up for good.
 */
export function createStatementRunner(log: Logger): RunStatement {
  let isNamed = true;
  return async <Row extends QueryResultRow>(
    client: PoolClient,
    { name, text }: Statement,
    values: readonly unknown[],
  ) => {
    const unnamed = { text, values: [...values] };
    if (!isNamed) return client.query<Row>(unnamed);
    try {
      return await client.query<Row>({ name, ...unnamed });
    } catch (error) {
      if (!NAME_LOST.includes(readSqlState(error) ?? "")) throw error;
      if (isNamed) log.info("postgres: a connection pooler does not keep prepared statements; they are not used");
      isNamed = false;
      // nothing has been run yet: the server refused the name
      return client.query<Row>(unnamed);
    }
  };
}
