import { parentPort, workerData } from "node:worker_threads";
import { asVconError, type LogFields, type Logger } from "@vcon-server/core";
import { addressOf, prepareSocketFolder, removeSocketFolder } from "../place.ts";
import { openStore } from "../store/open.ts";
import { toWire, type WireError } from "../wire/messages.ts";
import { operationsOf } from "./operations.ts";
import { createProgress } from "./progress.ts";
import { serve } from "./serve.ts";

/** What the owner thread is started with. */
export interface OwnerSettings {
  readonly dataDir: string;
  readonly synchronous: "full" | "normal";
  readonly leaseMs: number;
  /** Shared memory in which it counts its progress. */
  readonly progress: Int32Array;
}

/** What the owner thread says. */
export type OwnerMessage =
  | { readonly kind: "ready"; readonly address: string }
  | { readonly kind: "failed"; readonly error: WireError }
  | { readonly kind: "log"; readonly level: keyof Logger; readonly message: string; readonly fields: LogFields };

const say = (message: OwnerMessage): void => parentPort?.postMessage(message);
const line =
  (level: keyof Logger) =>
  (message: string, fields: LogFields = {}) =>
    say({ kind: "log", level, message, fields });
const log: Logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };

/** Wall time at the start, then the monotonic clock: leases and delays do not jump with the clock of the machine. */
function steadyClock(): () => number {
  const offset = Date.now() - performance.now();
  return () => Math.floor(offset + performance.now());
}

async function main({ dataDir, synchronous, leaseMs, progress: memory }: OwnerSettings): Promise<void> {
  const opened = openStore({ dataDir, synchronous, leaseMs, now: steadyClock(), log });
  const { store, commits, file } = opened;
  const address = addressOf(dataDir);
  try {
    prepareSocketFolder(address);
    const operations = operationsOf({ store, file, synchronous });
    const serving = await serve({ address, store, commits, operations, progress: createProgress(memory) });
    parentPort?.once("message", async () => {
      await serving.close();
      removeSocketFolder(address);
      opened.close();
      parentPort?.close();
    });
    say({ kind: "ready", address });
  } catch (error) {
    opened.close();
    throw error;
  }
}

main(workerData as OwnerSettings).catch((error: unknown) => {
  say({ kind: "failed", error: toWire(asVconError(error, "VCON_INTERNAL", "starting the embedded backend")) });
  parentPort?.close();
});
