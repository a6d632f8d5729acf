// `node bench/profile.ts FOLDER`: where the time went, from the CPU profiles that BENCH_PROFILE=FOLDER leaves behind.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const TOP = 30;

/** Prints self time by function, then time with all that was called by function, in shares of the time not idle. */
function summarise(file: string): void {
  // written by node --cpu-prof
  const { nodes, samples, timeDeltas }: Profile = JSON.parse(readFileSync(file, "utf8"));
  const self = new Map<number, number>();
  for (const [at, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + Math.max(0, timeDeltas[at] ?? 0));
  const working = nodes.filter(({ callFrame }) => callFrame.functionName !== "(idle)");
  const busy = working.reduce((sum, { id }) => sum + (self.get(id) ?? 0), 0);
  console.log(`\n${file}: ${(busy / 1e6).toFixed(2)} s busy`);
  print(
    "self",
    sumBy(working, ({ id }) => self.get(id) ?? 0),
    busy,
  );
  print("with what it calls", inclusive(nodes, self), busy);
}

const nameOf = ({ callFrame: { functionName, url, lineNumber } }: Node): string => {
  const place = url.replace(/^file:\/\//, "").replace(/^.*\/(packages|apps|node_modules|bench)\//, "$1/") || "(native)";
  return `${functionName || "(anonymous)"} ${place}:${lineNumber + 1}`;
};

function sumBy(nodes: readonly Node[], timeOf: (node: Node) => number): Map<string, number> {
  const times = new Map<string, number>();
  for (const node of nodes) times.set(nameOf(node), (times.get(nameOf(node)) ?? 0) + timeOf(node));
  return times;
}

/** Of our own functions only; one that calls itself is counted once. */
function inclusive(nodes: readonly Node[], self: ReadonlyMap<number, number>): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const times = new Map<string, number>();
  const walk = (node: Node, above: ReadonlySet<string>): number => {
    const name = nameOf(node);
    const below = new Set([...above, name]);
    const children = (node.children ?? []).flatMap((id) => byId.get(id) ?? []);
    const total = children.reduce((sum, child) => sum + walk(child, below), self.get(node.id) ?? 0);
    if (/ (packages|apps)\//.test(name) && !above.has(name)) times.set(name, (times.get(name) ?? 0) + total);
    return total;
  };
  for (const root of nodes.slice(0, 1)) walk(root, new Set());
  return times;
}

function print(title: string, times: ReadonlyMap<string, number>, busy: number): void {
  console.log(`  ${title}`);
  for (const [name, micros] of [...times].toSorted(([, one], [, other]) => other - one).slice(0, TOP)) {
    console.log(`${((100 * micros) / busy).toFixed(1).padStart(6)} %  ${name}`);
  }
}

const [folder = "."] = process.argv.slice(2);
for (const name of readdirSync(folder).filter((file) => file.endsWith(".cpuprofile"))) summarise(join(folder, name));
