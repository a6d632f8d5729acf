import type { Call, Logger } from "@vcon-server/core";
import type { PoolClient } from "pg";
import { abortable } from "../_shared/abortable.ts";
import type { Connections } from "./connect.ts";
import { explainEncoding, explainReadOnly, postgresFailure } from "./failures.ts";
import { ensureIndices, type Facts, makeTable, type Names, readFacts, tableExists } from "./table.ts";

/** Milliseconds that looking for the table, or making it, may take. */
const PREPARE_MS = 10_000;

/** A table that is looked for, and made, when it is first needed. */
export interface OpenTable {
  /** Runs `ask` with a connection once the table is there. Every failure is coded, except that a call's time is over. */
  asked<T>(doing: string, call: Call, ask: (client: PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface TableOf {
  readonly connections: Connections;
  readonly names: Names;
  readonly log: Logger;
}

export function openTable({ connections, names, log }: TableOf): OpenTable {
  const closing = new AbortController();
  let ready: Promise<void> | undefined;
  let indexing: Promise<void> | undefined;
  let facts: Facts | undefined;

  async function prepare(): Promise<void> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(PREPARE_MS)]);
    const isOld = await connections.with(signal, async (client) => {
      const now = await readFacts(client);
      if (facts === undefined) warnAbout(now);
      facts = now;
      if (await tableExists(client, names)) return !now.standby;
      await makeTable(client, names);
      return false;
    });
    // building an index on a large table takes long: saving does not wait for it
    if (isOld) indexing ??= addIndices();
  }

  /** Says at the start what would be found out one dead letter or pending delivery at a time. */
  function warnAbout(now: Facts): void {
    const encoding = explainEncoding(now);
    if (encoding !== undefined) log.warn(`postgres: ${encoding}`, { table: names.table });
    if (now.standby || now.read_only)
      log.warn(`postgres: nothing can be saved: ${explainReadOnly({ facts: now })}`, { table: names.table });
  }

  async function addIndices(): Promise<void> {
    try {
      const added = await connections.with(closing.signal, (client) => ensureIndices(client, names));
      if (added.length > 0) log.info("postgres: added missing indices", { table: names.table, added });
    } catch (error) {
      if (closing.signal.aborted) return;
      log.warn("postgres: adding missing indices failed; searching the table is slower", { table: names.table, error });
    }
  }

  return {
    async asked(doing, { signal }, ask) {
      signal.throwIfAborted();
      ready ??= prepare();
      const begun = ready;
      let isMaking = true;
      try {
        await abortable(signal, begun);
        isMaking = false;
        return await connections.with(signal, ask);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const failure = postgresFailure(error, { doing, table: names.table, isMaking, facts });
        // the next call looks again: the server may have been down, or the table dropped
        if (failure.code === "VCON_STORAGE_DOWN" && ready === begun) ready = undefined;
        throw failure;
      }
    },
    async close() {
      closing.abort();
      await indexing;
    },
  };
}
