import {
  type ConfigFinding,
  compile,
  type DecodedText,
  type Plan,
  readConfigFile,
  readSettings,
  type SettingsRead,
  type TestEntry,
} from "@vcon-server/core/config";
import type { Terminal } from "./terminal.ts";

/** The settings of this machine, with what flags say put above the environment. */
export function settingsFor(
  terminal: Terminal,
  flags: Readonly<Record<string, string | undefined>> = {},
): SettingsRead {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  return readSettings({ ...terminal.env, ...given }, { cwd: terminal.cwd });
}

export interface Compiled {
  readonly plan: Plan | undefined;
  readonly findings: readonly ConfigFinding[];
  /** Its `tests` block. */
  readonly tests?: readonly TestEntry[];
}

/** Reads and checks a configuration without starting anything. */
export async function compileFile(file: string, env: SettingsRead["env"], shownAs = file): Promise<Compiled> {
  const read = await readConfigFile(file);
  const { builtIns } = await import("../compose.ts");
  const { plan, tests = [], findings } = await compile({ ...read, file, env, registry: builtIns() });
  return { plan, tests, findings: findings.map((finding) => ({ ...finding, file: shownAs })) };
}

/** The same for text that is in no file; relative paths count from the working directory. */
export async function compileText(text: DecodedText, file: string, env: SettingsRead["env"]): Promise<Compiled> {
  const { builtIns } = await import("../compose.ts");
  const { plan, findings } = await compile({ ...text, file, env, registry: builtIns() });
  return { plan, findings };
}
