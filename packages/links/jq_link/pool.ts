import { type Result, type RunningThread, startThread } from "./running.ts";
import type { Question } from "./thread.ts";

/** Runs jq in threads that can be ended whatever they are doing. */
export interface JqPool {
  /** Rejects with the signal's reason when it aborts; the thread that was at it is ended. */
  ask(question: Question, signal?: AbortSignal): Promise<Result>;
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
  readonly done: (result: Result) => void;
  thread?: RunningThread;
}

export function createPool(limits: PoolLimits): JqPool {
  const threads: RunningThread[] = [];
  const waiting: Job[] = [];
  let closed = false;
  const living = () => threads.filter(({ alive }) => alive);

  function freeThread(): RunningThread | undefined {
    threads.splice(0, threads.length, ...living());
    const resting = threads.find(({ busy }) => !busy);
    if (resting || threads.length >= limits.threads) return resting;
    const started = startThread(limits.maxMemoryBytes);
    threads.push(started);
    return started;
  }

  function next(): void {
    while (waiting.length > 0) {
      const thread = freeThread();
      const job = thread && waiting.shift();
      if (!job) return;
      job.thread = thread;
      void work(job, thread);
    }
  }

  async function work(job: Job, thread: RunningThread): Promise<void> {
    job.done(await thread.run(job.question, limits.timeout));
    if (thread.alive) thread.rest(limits.idle);
    next();
  }

  function giveUp(job: Job): void {
    if (job.thread) void job.thread.end({ kind: "timeout" });
    else waiting.splice(waiting.indexOf(job), 1);
  }

  return {
    async ask(question, signal) {
      signal?.throwIfAborted();
      if (closed) throw new Error("the pool of jq threads is closed");
      const { promise, resolve, reject } = Promise.withResolvers<Result>();
      const job: Job = { question, done: resolve };
      const aborted = () => {
        reject(signal?.reason);
        giveUp(job);
      };
      signal?.addEventListener("abort", aborted, { once: true });
      waiting.push(job);
      next();
      return promise.finally(() => signal?.removeEventListener("abort", aborted));
    },
    size: () => living().length,
    async close() {
      closed = true;
      const cause = new Error("the pool of jq threads was closed");
      for (const job of waiting.splice(0)) job.done({ ok: false, kind: "crash", cause });
      await Promise.all(living().map((thread) => thread.end({ kind: "crash", cause })));
    },
  };
}
