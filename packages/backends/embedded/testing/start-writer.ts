import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

/** A process that owns a data directory and writes until it is killed; see `writer.ts` for what it prints. */
export interface WriterProcess extends AsyncDisposable {
  readonly child: ChildProcessByStdio<null, Readable, null>;
}

export function spawnWriter(dataDir: string): WriterProcess {
  const script = new URL("./writer.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, dataDir], { stdio: ["ignore", "pipe", "inherit"] });
  return {
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** The same, already writing. */
export async function startWriter(dataDir: string): Promise<WriterProcess> {
  const writer = spawnWriter(dataDir);
  await once(writer.child.stdout, "data");
  return writer;
}
