// Entry of every npm script. Runs on Node 20 with nothing installed: built-in modules only.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode, NODE_TOO_OLD } from "../apps/server/cli/find-node.mjs";
import { runNode } from "../apps/server/cli/run-node.mjs";
import { install } from "./install.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What each verb runs, relative to the root; the caller's arguments follow. */
const VERBS = {
  start: ["apps/server/cli/main.ts", "start"],
  cli: ["apps/server/cli/main.ts"],
  check: ["scripts/check.ts", "check"],
  test: ["scripts/check.ts", "test"],
  gen: ["scripts/gen.ts"],
  format: ["node_modules/@biomejs/biome/bin/biome", "check", "--write"],
  bench: ["bench/main.ts"],
  ceph: ["scripts/ceph/main.ts"],
};

const say = (line) => console.error(`vcon-server: ${line}`);
const [verb = "", ...rest] = process.argv.slice(2);

if (!Object.hasOwn(VERBS, verb)) {
  say(`there is no "${verb}" here; use one of: ${Object.keys(VERBS).join(", ")}`);
  process.exit(2);
}
if (!install(root, say)) process.exit(1);
const node = findNode(import.meta.url);
if (node === undefined) {
  say(NODE_TOO_OLD);
  process.exit(1);
}
const [script, ...args] = VERBS[verb];
// the command line keeps the caller's folder for the file names it is given; everything else lives in the repository
runNode(node, [join(root, script), ...args, ...rest], verb === "cli" ? {} : { cwd: root });
