import { type ChildProcess, fork } from "node:child_process";

export interface Subprocess {
  readonly pid: number;
  /** Tells it to begin. */
  go(): void;
  stop(): Promise<void>;
}

/** Starts a script of the bench in a process of its own and waits until it says that it is ready. */
export async function startScript(script: URL, args: readonly string[]): Promise<Subprocess> {
  const child: ChildProcess = fork(script, [...args], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ready = new Promise<void>((resolve) => child.once("message", () => resolve()));
  const early = exited.then(() => Promise.reject(new Error(`${script.pathname} ended before it was ready`)));
  await Promise.race([ready, early]);
  early.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    go: () => void child.send("go"),
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
