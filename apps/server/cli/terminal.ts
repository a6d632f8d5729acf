import { isAbsolute, join } from "node:path";
import process from "node:process";
import { styleText } from "node:util";
import { printable } from "@vcon-server/core";

/** Where text goes: a terminal, a file, a pipe. */
export interface Screen {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width in characters; 80 where nobody knows. */
  readonly columns: number;
}

/** All a verb sees of the process it runs in. */
export interface Terminal {
  readonly out: Screen;
  readonly err: Screen;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Working directory: where `.env`, the default configuration and the data directory are looked for. */
  readonly cwd: string;
  /** Folder that file names on the command line are relative to. */
  readonly files: string;
  /** Aborts when the user interrupts. */
  readonly interrupted: AbortSignal;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds, monotonic. */
  now(): number;
}

/** The terminal this process runs in. */
export function processTerminal(): Terminal {
  const interruption = new AbortController();
  const env = process.env;
  return {
    out: screenOf(process.stdout),
    err: screenOf(process.stderr),
    stdin: process.stdin,
    env,
    cwd: process.cwd(),
    // npm changes to the root of the repository and says where it was called
    files: (env["npm_lifecycle_event"] === "vcon-server" ? env["INIT_CWD"] : undefined) ?? process.cwd(),
    get interrupted() {
      // only verbs that ask for it may be interrupted gently; the others end at once
      if (process.listenerCount("SIGINT") === 0) process.once("SIGINT", () => interruption.abort());
      return interruption.signal;
    },
    fetch: globalThis.fetch,
    now: () => performance.now(),
  };
}

function screenOf(stream: NodeJS.WriteStream): Screen {
  // the reader of a pipe may leave early (`| head`): that is its good right
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns || 80;
    },
  };
}

/** A file name of the command line as a full path. */
export const pathOf = (terminal: Pick<Terminal, "files">, name: string): string =>
  isAbsolute(name) ? name : join(terminal.files, name);

export type Colour = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";
export type Paint = (colour: Colour, text: string) => string;

/** Colours on a terminal, unless `NO_COLOR` is set or the terminal cannot show any. */
export function paintFor(screen: Screen, env: Terminal["env"]): Paint {
  const plain = !screen.isTTY || Boolean(env["NO_COLOR"]) || env["TERM"] === "dumb";
  return plain ? (_, text) => text : (colour, text) => styleText(colour, text, { validateStream: false });
}

/** The text with escapes for what would steer the terminal or turn the text around; line breaks and tabs stay. */
export const harmless = (text: string): string => text.split("\t").map(printable).join("\t");
