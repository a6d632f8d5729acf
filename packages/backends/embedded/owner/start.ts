import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Logger } from "@vcon-server/core";
import { LEASE_MS } from "@vcon-server/core/backend";
import { fromWire } from "../wire/messages.ts";
import { makeProgressMemory } from "./progress.ts";
import { servePulse } from "./pulse.ts";
import type { OwnerMessage, OwnerSettings } from "./thread.ts";

export interface OwnerOptions {
  readonly dataDir: string;
  readonly synchronous: "full" | "normal";
  /** How long a lease outlives its last heartbeat; `LEASE_MS` unless a test is in a hurry. */
  readonly leaseMs?: number;
  readonly log: Logger;
}

export interface Owner {
  readonly address: string;
  close(): Promise<void>;
}

/** Waits between restarts of a thread that died. */
const RESTART_MS = [100, 500, 2_000] as const;

/**
 * Starts the one thread that owns the database of a data directory. Refuses with `VCON_BACKEND_UNFIT` where another
 * process owns it and with `VCON_BACKEND_CORRUPT` where it is damaged. A thread that dies later is started again.
 */
export async function startEmbeddedOwner({ dataDir, synchronous, leaseMs, log }: OwnerOptions): Promise<Owner> {
  const start = (): Promise<Thread> => {
    // a count of its own for each thread: one that died in a transaction would look busy for ever
    progress = makeProgressMemory();
    return startThread({ dataDir, synchronous, leaseMs: leaseMs ?? LEASE_MS, progress }, log);
  };
  let progress = makeProgressMemory();
  let closing = false;
  let deaths = 0;
  let current = await start();
  const pulse = await servePulse(current.address, () => progress).catch(async (error: unknown) => {
    // the thread would keep the process and the lock of the database
    current.worker.postMessage("close");
    await current.ended;
    throw error;
  });
  const watch = (): void => {
    void current.ended.then(() => {
      if (!closing) setTimeout(restart, RESTART_MS[Math.min(deaths++, RESTART_MS.length - 1)]);
    });
  };
  const restart = async (): Promise<void> => {
    if (closing) return;
    log.error("the thread of the embedded backend ended unexpectedly and is started again", { deaths });
    try {
      current = await start();
      if (closing) current.worker.postMessage("close");
      watch();
    } catch (error) {
      log.error("the embedded backend cannot be started again", { error });
      if (!closing) setTimeout(restart, RESTART_MS[Math.min(deaths++, RESTART_MS.length - 1)]);
    }
  };
  watch();
  return {
    address: current.address,
    async close() {
      closing = true;
      await pulse.close();
      current.worker.postMessage("close");
      await current.ended;
    },
  };
}

interface Thread {
  readonly worker: Worker;
  readonly address: string;
  /** Resolves when the thread is gone, for whatever reason. */
  readonly ended: Promise<void>;
}

function startThread(settings: OwnerSettings, log: Logger): Promise<Thread> {
  const worker = new Worker(new URL(`./thread${extname(import.meta.url)}`, import.meta.url), {
    workerData: settings,
    execArgv: [],
    name: "embedded-backend",
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    let failure = new Error("the thread of the embedded backend ended before it was ready");
    worker.on("message", (message: OwnerMessage) => {
      if (message.kind === "log") log[message.level](message.message, message.fields);
      else if (message.kind === "failed") failure = fromWire(message.error);
      else resolve({ worker, address: message.address, ended });
    });
    worker.once("error", (error) => {
      log.error("the thread of the embedded backend failed", { error });
      failure = error;
    });
    // only when the thread is gone are its lock and its files free again
    void ended.then(() => reject(failure));
  });
}
