import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Processes whose parent is `pid`, with their command lines. Read from /proc, which Linux alone has. */
export function childrenOf(pid: number): { readonly pid: number; readonly command: string }[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(file)) return [];
  const pids = readOrNothing(file).split(" ").filter(Boolean).map(Number);
  return pids.map((child) => ({ pid: child, command: readOrNothing(`/proc/${child}/cmdline`).replaceAll("\0", " ") }));
}

/** Whether a process exists and has not ended (a zombie has). */
export function isAlive(pid: number): boolean {
  const state = readOrNothing(`/proc/${pid}/stat`).replace(/^.*\) /s, "")[0];
  return state !== undefined && state !== "Z" && state !== "X";
}

/** CPU time a process has used so far, in microseconds. */
export function cpuMicros(pid: number): number {
  const fields = readOrNothing(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");
  // fields 14 and 15 of stat(5), in clock ticks, of which every Linux has 100 a second
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10_000;
}

/** Every process of this machine whose command line contains a text. */
export function processesWith(text: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => readOrNothing(`/proc/${pid}/cmdline`).includes(text)).map(Number);
}

/** Every living process of this machine in whose environment a text stands, as it was given at its start. */
export function processesWithEnvironment(text: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => readOrNothing(`/proc/${pid}/environ`).includes(text) && isAlive(Number(pid))).map(Number);
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // it has ended between two looks
    return "";
  }
}
