import { VconError } from "@vcon-server/core";
import { type OpenLink, openLink, sampleVcon, testLink } from "@vcon-server/core/testing";
import { parseVcon, serialize, type Vcon } from "@vcon-server/vcon";
import fc from "fast-check";
import { loadJq } from "jq-wasm";
import { afterAll, expect, test } from "vitest";
import jqLink from "./index.ts";
import { createPool } from "./pool.ts";
import { complaintOf, matchProgram } from "./program.ts";

const limits = { threads: 1, timeout: 5_000, maxMemoryBytes: 64 * 2 ** 20, idle: 60_000 };

const shared = createPool(limits);
afterAll(() => shared.close());

async function withLink<T>(options: Record<string, unknown>, use: (link: OpenLink) => Promise<T>): Promise<T> {
  const link = await openLink(jqLink, { options });
  try {
    return await use(link);
  } finally {
    await link.close();
  }
}

const failure = (running: Promise<unknown>): Promise<VconError> =>
  running.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)}`);
    },
    (error: unknown) => {
      if (error instanceof VconError) return error;
      throw error;
    },
  );

test("a match goes on with the very same vCon, what does not match is halted", async () => {
  const vcon = sampleVcon();
  await withLink({ filter: '.parties[] | select(.name == "Ann")' }, async (link) => {
    expect(await link.run({ vcon })).toEqual({ kind: "forward", vcon });
    expect(await link.run({ vcon: sampleVcon({ parties: [] }) })).toEqual({
      kind: "halt",
      reason: "does not match the jq filter",
    });
  });
});

test("forward_matches: false turns it round", async () => {
  const halted = await testLink(jqLink, {
    options: { filter: ".subject", forward_matches: false },
    vcon: sampleVcon({ subject: "x" }),
  });
  expect(halted).toEqual({ kind: "halt", reason: "matches the jq filter" });
  expect((await testLink(jqLink, { options: { filter: ".subject", forward_matches: false } })).kind).toBe("forward");
});

test("bodies are text, as they are stored, and fromjson reads them", async () => {
  const vcon = sampleVcon({ analysis: [{ type: "summary", encoding: "json", body: '{"score":7}' }] });
  await withLink({ filter: ".analysis[].body | fromjson | .score > 5" }, async (link) => {
    expect((await link.run({ vcon })).kind).toBe("forward");
  });
});

test("large numbers reach the filter as they are", async () => {
  const vcon: Vcon = parseVcon(`{"x":12345678901234567890,${serialize(sampleVcon()).slice(1)}`);
  await withLink({ filter: '(.x | tostring) == "12345678901234567890"' }, async (link) => {
    expect((await link.run({ vcon })).kind).toBe("forward");
  });
});

test.each([
  ["null", false],
  ["false", false],
  ["0", false],
  ["0.0", false],
  ["-0", false],
  ['""', false],
  ["[]", false],
  ["{}", false],
  ["empty", false],
  ["halt", false],
  ["true", true],
  ["1", true],
  ["[0]", true],
  ['{"a":null}', true],
  ['"0"', true],
  ["true, error", true],
  ["false, true", false],
  ["repeat(1)", true],
  ["def f: .uuid; f # a comment", true],
  [". as {$uuid} | $uuid", true],
])("the first output of %s counts as a match: %s", async (filter, expected) => {
  const result = await shared.ask({ program: matchProgram(filter), input: serialize(sampleVcon()) });
  expect(result).toMatchObject({ ok: true, answer: { exitCode: 0 } });
  expect(result.ok && result.answer.stdout === "true").toBe(expected);
});

test("any value jq can output matches exactly when Python would call it true", async () => {
  const jq = await loadJq();
  const falsy = new Set(["null", "false", "0", '""', "[]", "{}"]);
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      const json = JSON.stringify(value);
      const said = jq.raw(json, matchProgram("."), ["-c"]).stdout;
      expect(said).toBe(String(!falsy.has(json)));
    }),
    { numRuns: 150 },
  );
});

test.each([
  "",
  ".a |",
  "nosuchfunction",
  "(",
  ".a) | (.b",
  "1; def x: 2",
  'import "a" as a; .',
  'include "/etc/passwd"; .',
])("the filter %o is refused when the chain is set up", async (filter) => {
  if (filter === "") return expect(() => jqLink.options.parse({ filter })).toThrow();
  const error = await failure(openLink(jqLink, { options: { filter } }));
  expect(error.code).toBe("VCON_CONFIG_INVALID");
  expect(error.message).toMatch(/does not compile: .+/);
});

test("an error in the filter fails with jq's message and is not tried again", async () => {
  await withLink({ filter: '.parties | test("x")' }, async (link) => {
    const error = await failure(link.run());
    expect(error).toMatchObject({ code: "VCON_LINK_REFUSED", retryable: false });
    expect(error.message).toContain("cannot be matched, as it is not a string");
  });
});

test("a filter cannot put a whole document into an error message", () => {
  expect(complaintOf({ stderr: `jq: error (at /dev/stdin:0): ${"x".repeat(10_000)}` }).length).toBeLessThan(320);
  expect(complaintOf({ stderr: "jq: error (at /dev/stdin:0): boom" })).toBe("boom");
  expect(complaintOf({ stderr: "jq: error: syntax error\njq: 1 compile error" })).toBe("syntax error");
});

test("the environment, other files and other inputs are out of a filter's reach", async () => {
  await withLink({ filter: 'env + $ENV | tostring | test("/root|/tmp|/work|npm|vitest"; "i")' }, async (link) => {
    expect((await link.run()).kind).toBe("halt");
  });
  await withLink({ filter: "input" }, async (link) => {
    expect((await failure(link.run())).code).toBe("VCON_LINK_REFUSED");
  });
});

test("an endless filter costs its thread and nothing else", async () => {
  await withLink({ filter: "if .subject then def f: f; f else true end", timeout_secs: 0.2 }, async (link) => {
    const endless = failure(link.run({ vcon: sampleVcon({ subject: "loop" }) }));
    expect((await link.run()).kind).toBe("forward");
    expect(await endless).toMatchObject({ code: "VCON_LINK_TIMEOUT", retryable: false });
    expect((await link.run()).kind).toBe("forward");
  });
});

test.each([
  ".subject * 1e9",
  "[range(1e8)]",
  "def f: 1 + f; f",
  "reduce range(1e9) as $i ([]; . + [$i])",
  '[limit(1e8; repeat("x" * 1000))] | length',
])("the filter %s runs into a limit and the process lives on", async (filter) => {
  await withLink(
    { filter: `if .subject then ${filter} else true end`, max_memory_mb: 32, timeout_secs: 20 },
    async (link) => {
      const error = await failure(link.run({ vcon: sampleVcon({ subject: "bomb" }) }));
      expect(error).toMatchObject({ code: "VCON_LINK_REFUSED", retryable: false });
      expect(error.message).toMatch(/32 MB|.+/);
      expect((await link.run()).kind).toBe("forward");
    },
  );
});

test("a filter that writes to standard error without end runs into a limit", async () => {
  await withLink(
    { filter: "if .subject then def f: debug | f; f else true end", timeout_secs: 1, max_memory_mb: 32 },
    async (link) => {
      const error = await failure(link.run({ vcon: sampleVcon({ subject: "noise" }) }));
      expect(["VCON_LINK_TIMEOUT", "VCON_LINK_REFUSED"]).toContain(error.code);
      expect((await link.run()).kind).toBe("forward");
    },
  );
});

test("a run whose signal aborts ends at once, whether it waits for a thread or has one", async () => {
  await withLink({ filter: "if .subject then def f: f; f else true end", threads: 1 }, async (link) => {
    const controllers = [new AbortController(), new AbortController()];
    const loops = controllers.map(({ signal }) => link.run({ vcon: sampleVcon({ subject: "loop" }), signal }));
    for (const controller of controllers.toReversed()) controller.abort(new Error("time is over"));
    for (const loop of loops) await expect(loop).rejects.toThrow("time is over");
    expect((await link.run()).kind).toBe("forward");
  });
});

test("threads are started when they are needed, up to the limit, and shared by all that wait", async () => {
  const pool = createPool({ ...limits, threads: 2 });
  expect(pool.size()).toBe(0);
  const ask = () => pool.ask({ program: ".a", input: '{"a":1}' });
  await ask();
  expect(pool.size()).toBe(1);
  const answers = await Promise.all(Array.from({ length: 100 }, ask));
  expect(answers.every((answer) => answer.ok && answer.answer.stdout === "1")).toBe(true);
  expect(pool.size()).toBe(2);
  await pool.close();
  expect(pool.size()).toBe(0);
  await expect(ask()).rejects.toThrow(/closed/);
});

test("a thread without work ends by itself", async () => {
  const pool = createPool({ ...limits, idle: 1 });
  await pool.ask({ program: ".", input: "1" });
  await expect.poll(() => pool.size()).toBe(0);
  expect(await pool.ask({ program: ".", input: "1" })).toMatchObject({ ok: true });
  await pool.close();
});

test("closing while work waits answers all of it", async () => {
  const pool = createPool(limits);
  const asked = Array.from({ length: 5 }, () => pool.ask({ program: "def f: f; f", input: "1" }));
  await pool.close();
  for (const result of await Promise.all(asked)) expect(result).toMatchObject({ ok: false, kind: "crash" });
});

test.each([
  [{ filtr: "." }, /filtr/],
  [{ timeout_secs: 0 }, /timeout_secs/],
  [{ max_memory_mb: 1 }, /max_memory_mb/],
])("the options %o are refused", (options, message) => {
  expect(() => jqLink.options.parse(options)).toThrow(message);
});
