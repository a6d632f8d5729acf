import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { causesOf, silent, VconError } from "@vcon-server/core";
import type { ChainPlan, Plan, TestEntry } from "@vcon-server/core/config";
import { type DryRun, dryRun } from "@vcon-server/core/engine";
import { stubNetwork } from "@vcon-server/core/network";
import { readVcon, toBytes, uuidMaker } from "@vcon-server/vcon";
import { idleClock } from "./idle-clock.ts";
import { objections } from "./judge.ts";
import { stubbedNetwork } from "./network.ts";

/** How one test of a configuration went. */
export interface TestResult {
  readonly name: string;
  readonly chain: string;
  readonly passed: boolean;
  /** What was not as expected, a line each. */
  readonly objections: readonly string[];
  /** Milliseconds of real time. */
  readonly ms: number;
  /** Absent when the test could not be run at all. */
  readonly run?: DryRun;
  /** `METHOD address` of each request that was made. */
  readonly requests: readonly string[];
}

export interface Tests {
  readonly plan: Plan;
  /** The configuration's file: paths count from its folder. */
  readonly file: string;
  readonly signal: AbortSignal;
}

/** A day in which nothing special happens to clocks. */
const START = Date.UTC(2026, 0, 15, 12);

/** Runs tests one after the other, with the network stubbed. */
export async function runTests(tests: readonly TestEntry[], of: Tests): Promise<TestResult[]> {
  const results: TestResult[] = [];
  for (const test of tests) results.push(await runTest(test, of).catch((error: unknown) => notRun(test, error)));
  return results;
}

function notRun({ name, chain }: TestEntry, error: unknown): TestResult {
  const said = [...new Set(causesOf(error))].join(": ");
  const objections = [error instanceof VconError ? `${error.code}: ${said}` : said];
  return { name, chain, passed: false, objections, ms: 0, requests: [] };
}

/** Rejects when its vCon is none or the chain cannot be set up. */
async function runTest(test: TestEntry, { plan, file, signal }: Tests): Promise<TestResult> {
  const began = performance.now();
  const chain = plan.chains.find(({ name }) => name === test.chain);
  if (!chain) throw new VconError("VCON_CONFIG_INVALID", `there is no chain ${test.chain}`);
  const read = (name: string) => readFile(resolve(dirname(file), name));
  const inline = typeof test.vcon !== "string";
  const text = inline ? Buffer.from(JSON.stringify(test.vcon)) : await read(String(test.vcon));
  const bytes = accepted(text, inline ? "the vCon of the test" : String(test.vcon), chain);
  const clock = idleClock(START);
  const { fetch, requests } = stubbedNetwork({ entries: test.network ?? [], clock, read });
  const half = () => 0.5;
  try {
    const of = { plan, chain, bytes, network: stubNetwork(fetch), clock, random: half, log: silent, signal };
    const run = await dryRun(of);
    const wrong = objections(test.expect, run, requests);
    const ms = performance.now() - began;
    return { name: test.name, chain: test.chain, passed: wrong.length === 0, objections: wrong, ms, run, requests };
  } finally {
    clock.stop();
  }
}

/** The vCon as the gateway would take it in for this chain. */
function accepted(text: Uint8Array, name: string, { profile }: ChainPlan): Uint8Array {
  const giveUuid = uuidMaker({ now: () => START, random: () => 0.5, host: "test" });
  const result = readVcon(text, { profile, giveUuid });
  if (result.ok) return toBytes(result.vcon);
  const [first] = result.errors;
  const { pointer = "", message = "" } = first ?? {};
  // what is wrong with the whole has no pointer, and some of it says by itself that it is no vCon
  const place = pointer === "" ? "" : `${pointer} `;
  const reason = message.startsWith("is no vCon") ? message : `is no vCon the server takes: ${place}${message}`;
  throw new VconError("VCON_INPUT_INVALID", `${name} ${reason}`);
}
