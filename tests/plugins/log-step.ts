import { appendFileSync } from "node:fs";
import { formatEffect } from "../oracle/effect-log.ts";

/** Appends a line that says that a step began; whole lines, whoever else appends to the same file. */
export function logStep(
  path: string,
  run: { readonly uuid: string; readonly link: string; readonly attempt: number },
): void {
  appendFileSync(path, formatEffect({ uuid: run.uuid, step: run.link, pid: process.pid, attempt: run.attempt }));
}
