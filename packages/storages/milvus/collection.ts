import type { Call, Logger } from "@vcon-server/core";
import type { MilvusClient } from "@zilliz/milvus2-sdk-node";
import { abortable } from "../_shared/abortable.ts";
import type { Connection } from "./connect.ts";
import type { MilvusOptions } from "./options.ts";
import { down, prepare } from "./prepare.ts";
import type { Limits } from "./row.ts";

/** Milliseconds that looking for the collection, making it and loading it may take. */
const PREPARE_MS = 20_000;

/** A collection that is looked for, made and loaded when it is first needed. */
export interface OpenCollection {
  /** What its columns hold, once it is there and loaded. */
  limits(call: Call): Promise<Limits>;
  /** One call on it. A failure lets the next call look for it again: it may have been dropped or released. */
  asked<T>(doing: string, call: Call, ask: (client: MilvusClient) => Promise<T>): Promise<T>;
  /** Looks again, whatever was found before. */
  check(call: Call): Promise<void>;
  close(): void;
}

export function openCollection(connection: Connection, options: MilvusOptions, log: Logger): OpenCollection {
  const closing = new AbortController();
  let ready: Promise<Limits> | undefined;
  const forget = (begun: Promise<Limits>): void => {
    if (ready === begun) ready = undefined;
  };

  async function begin(): Promise<Limits> {
    const late = AbortSignal.timeout(PREPARE_MS);
    const signal = AbortSignal.any([closing.signal, late]);
    try {
      return await prepare({ connection, options, log, signal });
    } catch (error) {
      const opening = `opening collection ${options.collection_name}`;
      if (late.aborted) throw down(`${opening}: it is not ready after ${PREPARE_MS / 1000} s; it is tried again`);
      throw closing.signal.aborted ? down(`${opening}: the storage is being closed`) : error;
    }
  }

  /** Runs `use` once the collection is there. */
  async function prepared<T>({ signal }: Call, use: (limits: Limits) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    ready ??= begin();
    const begun = ready;
    // also when everybody who waited for it is gone
    begun.catch(() => forget(begun));
    try {
      return await use(await abortable(signal, begun));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      forget(begun);
      throw error;
    }
  }

  return {
    limits: (call) => prepared(call, async (limits) => limits),
    asked: (doing, call, ask) => prepared(call, () => connection.asked(doing, call.signal, ask)),
    async check(call) {
      ready = undefined;
      await prepared(call, async () => undefined);
    },
    close() {
      closing.abort();
      connection.close();
    },
  };
}
