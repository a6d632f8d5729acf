import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Child } from "@vcon-server/core/engine";
import type { ChildMessage, ChildRole } from "./messages.ts";

const ENTRY = fileURLToPath(new URL("./child.ts", import.meta.url));

/** Starts a process of this server in a role. */
export function spawnChild(role: ChildRole, onMessage: (message: ChildMessage) => void): Child {
  const child = fork(ENTRY, [role], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const ready = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<{ code: number | null; signal: string | null }>();
  child.on("message", (message: ChildMessage) => {
    if (message.type === "ready") ready.resolve();
    onMessage(message);
  });
  child.on("exit", (code, signal) => exited.resolve({ code, signal }));
  child.on("error", () => exited.resolve({ code: 1, signal: null }));
  return {
    pid: child.pid,
    ready: ready.promise,
    exited: exited.promise,
    kill: (signal) => void child.kill(signal),
  };
}
