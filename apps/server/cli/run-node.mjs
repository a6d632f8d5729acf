import { spawn } from "node:child_process";
import { delimiter, dirname } from "node:path";

/** One Ctrl-C reaches this process up to three times (terminal, npm, process group); it is passed on once. */
const SAME_SIGNAL_MS = 500;

/**
 * Runs `args` with the Node at `node`, passes signals on, and ends this process as that one ended.
 * Programs it starts by the name `node` get the same Node.
 */
export function runNode(node, args, options = {}) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` };
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", ...args], { stdio: "inherit", env, ...options });
  const last = new Map();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const pass = (signal) => {
    const now = performance.now();
    const before = last.get(signal);
    last.set(signal, now);
    // a terminal sends SIGINT to the whole process group: the child has it already
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    if (before === undefined || now - before > SAME_SIGNAL_MS) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, pass);
  child.on("error", (error) => {
    console.error(`could not start ${node}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    // a signal that does not end this process (SIGUSR1, a debugger's) must not leave it hanging
    setTimeout(() => process.exit(1), 1000);
  });
}
