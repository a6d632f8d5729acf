import { ClientError } from "@vcon-server/client";
import { causesOf, VconError } from "@vcon-server/core";
import { harmless, paintFor, type Terminal } from "./terminal.ts";

/** 0 done, 1 failed, 2 wrong use, 3 lint findings. */
export type ExitCode = 0 | 1 | 2 | 3;

/** The command line was used wrongly; the message says how to use it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | undefined;
  readonly exit: ExitCode;
}

/** What to do next, where the message alone does not say it. */
const REMEDIES: Readonly<Record<string, string>> = {
  CLIENT_UNREACHABLE: "start the server with `vcon-server start`, or name another address with --url",
  CLIENT_TIMEOUT: "see `vcon-server doctor`; a busy server may just need another try",
  CLIENT_UNEXPECTED: "name the address of a vCon Server with --url",
  CLIENT_ABORTED: "run it again; with --resume FILE `send` goes on where it was",
  VCON_AUTH_REQUIRED: "give a token with --token or CONSERVER_API_TOKEN",
  VCON_AUTH_REFUSED: "give a token that may do this with --token or CONSERVER_API_TOKEN",
  VCON_BACKEND_DOWN: "see `vcon-server doctor`, which says what it can reach",
  VCON_CONFIG_INVALID: "correct these places; `vcon-server lint` shows them again",
  VCON_INTERNAL: "run it again with --debug and report what it shows",
};

const WRONG_USE: readonly string[] = ["CLI_USAGE", "VCON_SETTING_INVALID"];

/** What a thrown value means to the person who ran the command. */
export function failureOf(error: unknown): Failure {
  const { code, message } = codeAndMessage(error);
  const exit = code === "VCON_CONFIG_INVALID" ? 3 : WRONG_USE.includes(code) ? 2 : 1;
  const remedy = REMEDIES[code] ?? (code.startsWith("HTTP_") ? REMEDIES["CLIENT_UNEXPECTED"] : undefined);
  return { code, message, remedy, exit };
}

function codeAndMessage(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof UsageError) return { code: "CLI_USAGE", message: error.message };
  if (error instanceof ClientError) return { code: error.code, message: error.message };
  const message = [...new Set(causesOf(error))].join(": ");
  if (error instanceof VconError) return { code: error.code, message: error.message };
  return { code: "VCON_INTERNAL", message };
}

/** Prints `code: message` and the remedy, as JSON where that was asked for; the stack only with `--debug`. */
export function printFailure(
  terminal: Terminal,
  error: unknown,
  how: { readonly json: boolean; readonly debug: boolean },
): ExitCode {
  const { code, message, remedy, exit } = failureOf(error);
  const paint = paintFor(terminal.err, terminal.env);
  if (how.json) terminal.err.write(`${JSON.stringify({ error: { code, message, remedy } })}\n`);
  else {
    terminal.err.write(`${paint("red", code)}: ${harmless(message)}\n`);
    if (remedy !== undefined) terminal.err.write(`${remedy}\n`);
  }
  if (how.debug && error instanceof Error) terminal.err.write(`${harmless(stacks(error))}\n`);
  return exit;
}

function stacks(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stacks(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
