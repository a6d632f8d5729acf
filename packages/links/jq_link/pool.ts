import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { JqAnswer } from "./program.ts";
import type { Question, Reply, ThreadData } from "./thread.ts";

/** Why a program gave no answer. */
export type Failure =
  | { readonly kind: "timeout" }
  | { readonly kind: "memory" }
  | { readonly kind: "crash"; readonly cause: unknown };

export type PoolAnswer = { readonly ok: true; readonly answer: JqAnswer } | ({ readonly ok: false } & Failure);

/** Runs jq in threads that can be ended whatever they are doing. */
export interface JqPool {
  /** Rejects with the signal's reason when it aborts; the thread that was at it is ended. */
  ask(question: Question, signal?: AbortSignal): Promise<PoolAnswer>;
  /** Threads alive at the moment. */
  size(): number;
  close(): Promise<void>;
}

export interface PoolLimits {
  /** Most threads at a time. One is started when all others are busy. */
  readonly threads: number;
  /** Milliseconds for one program, from when a thread takes it up. */
  readonly timeout: number;
  readonly maxMemoryBytes: number;
  /** Milliseconds after which a thread without work ends. */
  readonly idle: number;
}

interface Job {
  readonly question: Question;
  readonly done: (answer: PoolAnswer) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly ready: Promise<void>;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
}

export function createPool(limits: PoolLimits): JqPool {
  const threads = new Set<Thread>();
  const waiting: Job[] = [];
  let closed = false;

  function start(): Thread {
    const workerData: ThreadData = { maxMemoryBytes: limits.maxMemoryBytes };
    // the same extension as this file: TypeScript in the repository, JavaScript where it is published
    const worker = new Worker(new URL(`./thread${extname(import.meta.url)}`, import.meta.url), {
      workerData,
      env: {},
      // what jq prints when it aborts is of no use to anybody
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(limits.maxMemoryBytes / 2 ** 20) + HEAP_MB },
    });
    const ready = new Promise<void>((resolve) => worker.once("message", () => resolve()));
    const thread: Thread = { worker, ready, job: undefined, timer: undefined };
    threads.add(thread);
    worker.on("error", (cause) => end(thread, isOutOfMemory(cause) ? { kind: "memory" } : { kind: "crash", cause }));
    worker.on("exit", (code) =>
      end(thread, { kind: "crash", cause: new Error(`the jq thread ended with code ${code}`) }),
    );
    worker.once("message", () => worker.on("message", (reply: Reply) => answered(thread, reply)));
    return thread;
  }

  /** Ends a thread for good and tells whoever waits for it why. */
  function end(thread: Thread, failure: Failure): void {
    const { job } = thread;
    thread.job = undefined;
    clearTimeout(thread.timer);
    if (threads.delete(thread)) void thread.worker.terminate();
    job?.done({ ok: false, ...failure });
    next();
  }

  function answered(thread: Thread, reply: Reply): void {
    if ("broken" in reply) {
      end(thread, { kind: "memory" });
      return;
    }
    const { job } = thread;
    thread.job = undefined;
    rest(thread);
    job?.done({ ok: true, answer: reply });
    next();
  }

  function rest(thread: Thread): void {
    clearTimeout(thread.timer);
    thread.worker.unref();
    thread.timer = setTimeout(() => end(thread, { kind: "timeout" }), limits.idle).unref();
  }

  async function give(thread: Thread, job: Job): Promise<void> {
    thread.job = job;
    clearTimeout(thread.timer);
    thread.worker.ref();
    await thread.ready;
    // it may have been given up while the thread started
    if (thread.job !== job || !threads.has(thread)) return;
    thread.timer = setTimeout(() => end(thread, { kind: "timeout" }), limits.timeout);
    thread.worker.postMessage(job.question);
  }

  function next(): void {
    while (waiting.length > 0 && !closed) {
      const free =
        [...threads].find(({ job }) => job === undefined) ?? (threads.size < limits.threads ? start() : undefined);
      const job = free && waiting.shift();
      if (!job) return;
      void give(free, job);
    }
  }

  function giveUp(job: Job): void {
    const at = waiting.indexOf(job);
    if (at >= 0) waiting.splice(at, 1);
    const busy = [...threads].find((thread) => thread.job === job);
    if (busy) end(busy, { kind: "timeout" });
  }

  return {
    async ask(question, signal) {
      signal?.throwIfAborted();
      if (closed) throw new Error("the pool of jq threads is closed");
      const { promise, resolve, reject } = Promise.withResolvers<PoolAnswer>();
      const job: Job = { question, done: resolve };
      const aborted = () => {
        reject(signal?.reason);
        giveUp(job);
      };
      signal?.addEventListener("abort", aborted, { once: true });
      waiting.push(job);
      next();
      try {
        return await promise;
      } finally {
        signal?.removeEventListener("abort", aborted);
      }
    },
    size: () => threads.size,
    async close() {
      closed = true;
      const cause = new Error("the pool of jq threads was closed");
      for (const job of waiting.splice(0)) job.done({ ok: false, kind: "crash", cause });
      const ending = [...threads].map(({ worker }) => worker.terminate());
      for (const thread of threads) end(thread, { kind: "crash", cause });
      await Promise.all(ending);
    },
  };
}

/** Megabytes a thread needs besides jq's own memory: its code, and the document on its way in. */
const HEAP_MB = 32;

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
