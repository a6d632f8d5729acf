import process from "node:process";
import { runCli } from "./program.ts";
import { processTerminal } from "./terminal.ts";

process.exitCode = await runCli(process.argv.slice(2), processTerminal());

/** Milliseconds for what is still being closed. */
const GRACE_MS = 2_000;
// a connection or timer that was left open by something that failed must not keep the process alive
setTimeout(() => process.exit(), GRACE_MS).unref();
