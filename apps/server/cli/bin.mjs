#!/usr/bin/env node
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode, NODE_TOO_OLD, runsServer } from "./find-node.mjs";
import { runNode } from "./run-node.mjs";

if (runsServer(process.versions.node)) await import("./main.ts");
else {
  const node = findNode(import.meta.url);
  if (node === undefined) {
    console.error(NODE_TOO_OLD);
    process.exit(1);
  }
  const main = join(dirname(fileURLToPath(import.meta.url)), "main.ts");
  runNode(node, [main, ...process.argv.slice(2)]);
}
