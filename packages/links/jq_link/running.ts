import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { JqAnswer } from "./program.ts";
import type { Question, Reply, ThreadData } from "./thread.ts";

/** Why a program gave no answer. */
export type Failure =
  | { readonly kind: "timeout" }
  | { readonly kind: "memory" }
  | { readonly kind: "crash"; readonly cause: unknown };

export type Result = { readonly ok: true; readonly answer: JqAnswer } | ({ readonly ok: false } & Failure);

/** A thread that runs jq, one program at a time, until it is ended or a program breaks a limit. */
export interface RunningThread {
  readonly alive: boolean;
  readonly busy: boolean;
  /** Milliseconds count from when the thread takes the program up. A failure ends the thread. */
  run(question: Question, timeout: number): Promise<Result>;
  /** Ends it after so many milliseconds without work. */
  rest(idle: number): void;
  /** Ends it now, whatever it is doing; its program gets this failure. */
  end(failure: Failure): Promise<void>;
}

/** Megabytes a thread needs besides jq's own memory: its code, and the document on its way in. */
const HEAP_MB = 32;

export function startThread(maxMemoryBytes: number): RunningThread {
  const worker = newWorker(maxMemoryBytes);
  const ready = new Promise<void>((resolve) => worker.once("message", () => resolve()));
  let settle: ((result: Result) => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let alive = true;

  const finish = (result: Result): void => {
    const done = settle;
    settle = undefined;
    clearTimeout(timer);
    done?.(result);
  };
  const end = async (failure: Failure): Promise<void> => {
    alive = false;
    finish({ ok: false, ...failure });
    await worker.terminate();
  };
  worker.on("error", (cause) => void end(isOutOfMemory(cause) ? { kind: "memory" } : { kind: "crash", cause }));
  worker.on("exit", (code) => void end({ kind: "crash", cause: new Error(`the jq thread ended with code ${code}`) }));
  worker.once("message", () => {
    worker.on("message", (reply: Reply) => {
      if ("broken" in reply) void end({ kind: "memory" });
      else finish({ ok: true, answer: reply });
    });
  });
  return {
    get alive() {
      return alive;
    },
    get busy() {
      return settle !== undefined;
    },
    run(question, timeout) {
      const { promise, resolve } = Promise.withResolvers<Result>();
      settle = resolve;
      clearTimeout(timer);
      worker.ref();
      void ready.then(() => {
        // it may have been ended while it started
        if (settle !== resolve) return;
        timer = setTimeout(() => void end({ kind: "timeout" }), timeout);
        worker.postMessage(question);
      });
      return promise;
    },
    rest(idle) {
      worker.unref();
      timer = setTimeout(() => void end({ kind: "timeout" }), idle).unref();
    },
    end,
  };
}

function newWorker(maxMemoryBytes: number): Worker {
  const workerData: ThreadData = { maxMemoryBytes };
  // the same extension as this file: TypeScript in the repository, JavaScript where it is published
  return new Worker(new URL(`./thread${extname(import.meta.url)}`, import.meta.url), {
    workerData,
    env: {},
    // what jq prints when it aborts is of no use to anybody
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(maxMemoryBytes / 2 ** 20) + HEAP_MB },
  });
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
