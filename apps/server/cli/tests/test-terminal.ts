import { stripVTControlCharacters } from "node:util";
import { runCli } from "../program.ts";
import type { Screen, Terminal } from "../terminal.ts";

export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly isTTY?: boolean;
  readonly interrupted?: AbortSignal;
}

/** What a command line did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line in this process, in an empty environment, and keeps what it prints. */
export async function run(args: readonly string[], options: TerminalOptions = {}): Promise<Ran> {
  const [out, err] = [recorder(options.isTTY === true), recorder(options.isTTY === true)];
  const cwd = options.cwd ?? process.cwd();
  const terminal: Terminal = {
    out,
    err,
    stdin: chunks(options.stdin ?? ""),
    env: options.env ?? {},
    cwd,
    files: cwd,
    interrupted: options.interrupted ?? new AbortController().signal,
    fetch: globalThis.fetch,
    now: () => performance.now(),
  };
  const code = await runCli(args, terminal);
  return { code, out: out.text(), err: err.text() };
}

/** The text without colours and cursor movements. */
export const plain = (text: string): string => stripVTControlCharacters(text);

function recorder(isTTY: boolean): Screen & { text(): string } {
  const pieces: string[] = [];
  return { isTTY, columns: 100, write: (text) => void pieces.push(text), text: () => pieces.join("") };
}

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  if (text !== "") yield Buffer.from(text);
}
