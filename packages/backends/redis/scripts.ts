import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A Lua script, ready to be called by its hash. */
export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

const NAMES = [
  "abandon",
  "adopt",
  "bury",
  "checkpoint",
  "claim",
  "close",
  "commit",
  "delivered",
  "drain",
  "due",
  "exhume",
  "forget",
  "give-back",
  "heartbeat",
  "index",
  "index-term",
  "mover",
  "open",
  "park",
  "pop-uuids",
  "reborn",
  "refer",
  "remove",
  "restore",
  "revive",
  "strike",
  "submit",
  "take",
  "unbox",
  "unopen",
  "unrefer",
] as const;

export type ScriptName = (typeof NAMES)[number];
export type Scripts = Readonly<Record<ScriptName, Script>>;

const FOLDER = join(import.meta.dirname, "scripts");

/** Reads every script; a line `--@include x` stands for the text of `part-x.lua`. */
export function loadScripts(): Scripts {
  const scripts: Partial<Record<ScriptName, Script>> = {};
  for (const name of NAMES) {
    const source = readFileSync(join(FOLDER, `${name}.lua`), "utf8").replace(
      /^--@include (\S+)$/gm,
      (_, part: string) => readFileSync(join(FOLDER, `part-${part}.lua`), "utf8").trimEnd(),
    );
    scripts[name] = { name, source, sha: createHash("sha1").update(source).digest("hex") };
  }
  return scripts as Scripts;
}
