import type { Command } from "commander";
import type { ExitCode } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

interface VerbText {
  readonly summary: string;
  /** Command lines without the program's name, each with what it does. */
  readonly examples: readonly (readonly [line: string, effect: string])[];
}

/** What a verb needs to join the command line. */
export interface Cli {
  readonly terminal: Terminal;
  /** Adds a verb with the options that all of them have. `usage` is its name and arguments. */
  verb(usage: string, text: VerbText): Command;
  /** How the command ended; 0 unless said. */
  exit(code: ExitCode): void;
}

/** Each verb stands in a file of its own that exports one of these. */
export type AddVerb = (cli: Cli) => void;

/** Gathers the values of an option that may be given several times. */
export const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
