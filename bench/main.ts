// `npm run bench`: figures of performance.md, each beside a ceiling or a peer measured in the same run.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Row } from "./row.ts";
import { describe, HEADING } from "./table.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" }, help: { type: "boolean" } },
});
if (values.help) {
  console.log("npm run bench [-- --quick] [-- --only chain|links|storages|waiting|post|idle|embedded]");
  process.exit(0);
}

const size = values.quick ? { count: 2_000, rounds: 1 } : { count: 8_000, rounds: 3 };
const posts = values.quick ? { count: 2_000, rounds: 1 } : { count: 6_000, rounds: 3 };

/** Loaded one by one: a measurement must not carry the modules of another. */
const MEASUREMENTS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  chain: async () => (await import("./rows/cheap-chain.ts")).cheapChain(size),
  links: async () => (await import("./rows/links.ts")).fourLinks(size),
  storages: async () => (await import("./rows/storages.ts")).fourStorages(values.quick ? 15 : 40),
  waiting: async () => (await import("./rows/waiting.ts")).waitingOutside(values.quick ? 3_000 : 8_000),
  post: async () => (await import("./rows/post.ts")).postThroughput(posts),
  idle: async () => (await import("./rows/post.ts")).idleLatency(values.quick ? 100 : 400),
  embedded: async () => (await import("./rows/embedded.ts")).embeddedChain(size),
};

const began = Date.now();
const rows: Row[] = [];
console.log(HEADING);
for (const [name, measure] of Object.entries(MEASUREMENTS)) {
  if (values.only !== undefined && values.only !== name) continue;
  const measured = await measure();
  for (const row of measured) console.log(describe(row));
  rows.push(...measured);
}

const folder = join(import.meta.dirname, "results");
mkdirSync(folder, { recursive: true });
const file = join(folder, `${new Date(began).toISOString().replaceAll(":", "-")}.json`);
const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
writeFileSync(file, `${JSON.stringify({ at: new Date(began).toISOString(), machine, size, posts, rows }, null, 2)}\n`);
console.log(`${((Date.now() - began) / 1000).toFixed(0)} s; every sample is in ${file}`);
