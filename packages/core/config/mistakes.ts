import { join } from "node:path";
import { expect } from "vitest";
import { type Compiled, compile } from "./compile.ts";
import { testRegistry } from "./test-registry.ts";

/** Where the finding is expected to point, written into the snippet. */
const MARK = "«";

/** A mistake: what it is, the configuration with the expected place marked, the code, and a part of the finding. */
export type Mistake = readonly [what: string, yaml: string, code: string, says: string | RegExp];

export const compileText = (text: string, env: Readonly<Record<string, string>> = {}): Promise<Compiled> =>
  compile({ text, file: join(import.meta.dirname, "config.yml"), env, registry: testRegistry() });

/** Expects exactly one finding, of this code, at the marked place. */
export async function expectMistake([, marked, code, says]: Mistake): Promise<void> {
  const before = marked.slice(0, marked.indexOf(MARK)).split("\n");
  const { findings } = await compileText(marked.replace(MARK, ""));
  const shown = findings.map(({ code: found, line, col }) => `${found} ${line}:${col}`);
  expect(shown).toEqual([`${code} ${before.length}:${(before.at(-1)?.length ?? 0) + 1}`]);
  const [finding] = findings;
  expect(`${finding?.path}: ${finding?.message}; ${finding?.remedy}`).toMatch(says);
}

/** A whole configuration around a chain. */
export const chain = (lines: string): string => `chains:\n  a:\n    links: [sampler]\n${lines}`;

/** A whole configuration around a link that the chain uses. */
export const link = (lines: string): string => `chains:\n  a: {links: [one]}\nlinks:\n  one:\n${lines}`;

/** A whole configuration around a storage that the chain uses. */
export const storage = (lines: string): string =>
  `chains:\n  a: {links: [], storages: [one]}\nstorages:\n  one:\n${lines}`;
