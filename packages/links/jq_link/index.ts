import { defineLink, forward, halt, namedOtherwise, VconError } from "@vcon-server/core";
import { serialize } from "@vcon-server/vcon";
import { z } from "zod";
import { createPool, type JqPool } from "./pool.ts";
import { checkPrograms, complaintOf, matchProgram } from "./program.ts";
import type { Result } from "./running.ts";

/** Milliseconds without work after which a thread ends. */
const IDLE_MS = 60_000;

export default defineLink({
  name: "jq_link",
  summary: "Lets the vCons go on that a jq filter matches, or those it does not match.",
  hints: namedOtherwise({ expression: "filter", query: "filter", forward_on_match: "forward_matches" }),
  options: z.strictObject({
    filter: z
      .string()
      .min(1)
      .max(16_384)
      .default(".")
      .describe("jq filter. The vCon matches when its first output is not null, false, 0 or empty."),
    forward_matches: z
      .boolean()
      .default(true)
      .describe("Whether matches go on and the rest is halted; `false` is the other way round."),
    timeout_secs: z.number().positive().max(300).default(5).describe("Seconds the filter may take for one vCon."),
    max_memory_mb: z.int().min(32).max(256).default(64).describe("Megabytes the filter may use for one vCon."),
    threads: z
      .int()
      .min(1)
      .max(16)
      .default(2)
      .describe("Threads at most, for each worker process; they start when they are needed."),
  }),
  dependencies: { "jq-wasm": () => import("jq-wasm") },
  async setup({ options }) {
    const { timeout_secs, max_memory_mb, threads } = options;
    const limits = { threads, timeout: timeout_secs * 1000, maxMemoryBytes: max_memory_mb * 2 ** 20, idle: IDLE_MS };
    const pool = createPool(limits);
    try {
      await checkFilter(pool, options.filter);
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  },
  async run({ vcon, options, run, state: pool, signal }) {
    const question = { program: matchProgram(options.filter), input: serialize(vcon) };
    const doing = `filtering ${run.uuid} with jq`;
    const answer = answerOf(await pool.ask(question, signal), doing, options);
    if (answer.exitCode !== 0)
      throw refused(`${doing}: ${complaintOf(answer)}; make the filter cope with it, for example with "?" or "//"`);
    const matches = answer.stdout === "true";
    return matches === options.forward_matches
      ? forward(vcon)
      : halt(matches ? "matches the jq filter" : "does not match the jq filter");
  },
  teardown: (pool) => pool.close(),
});

async function checkFilter(pool: JqPool, filter: string): Promise<void> {
  for (const program of checkPrograms(filter)) {
    const result = await pool.ask({ program, input: "null" });
    if (result.ok && result.answer.exitCode === 0) continue;
    const why = result.ok ? complaintOf(result.answer) : `compiling it failed (${result.kind})`;
    throw new VconError("VCON_CONFIG_INVALID", `jq_link: the filter does not compile: ${why}`, { details: { filter } });
  }
}

interface Limits {
  readonly timeout_secs: number;
  readonly max_memory_mb: number;
}

/** What jq answered; a filter that broke a limit would break it again. */
function answerOf(result: Result, doing: string, limits: Limits) {
  if (result.ok) return result.answer;
  if (result.kind === "memory")
    throw refused(
      `${doing}: it needs more than ${limits.max_memory_mb} MB; simplify the filter or raise max_memory_mb`,
    );
  if (result.kind === "crash")
    throw new VconError("VCON_LINK_FAILED", `${doing}: its thread ended`, { cause: result.cause });
  const message = `${doing}: no answer within ${limits.timeout_secs} s; simplify the filter or raise timeout_secs`;
  throw new VconError("VCON_LINK_TIMEOUT", message, { retryable: false });
}

const refused = (message: string): VconError => new VconError("VCON_LINK_REFUSED", message);
